// How far an assessed conversation has come, and when it goes on by itself. Time is an argument.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/core/time.h"
#include "voicebridge/v1/conversation.pb.h"
#include "voicebridge/v1/profile.pb.h"

namespace voicebridge::worker {

// The phases of v1::InterviewState and their clocks. Without an assessment in the profile it stays
// in PHASE_UNSPECIFIED, where everything is allowed and nothing ever happens.
class InterviewFlow {
 public:
  // A limit that was reached waits this long for the turn that is under way.
  static constexpr Duration kLimitGrace = seconds(10);
  // How long the transcripts of what the user said last are waited for.
  static constexpr Duration kTranscriptsMax = seconds(5);
  // After this the user is told that storing the assessment takes its time.
  static constexpr Duration kStoringShown = seconds(1);
  static constexpr Duration kKeepalive = seconds(3);

  InterviewFlow(const v1::Profile& profile, std::string_view session_id);

  // Goes on where an earlier attachment was. A summary that was being spoken is over.
  void Restore(const v1::InterviewState& state, TimePoint now);

  const v1::InterviewState& state() const { return state_; }
  v1::InterviewState::Phase phase() const { return state_.phase(); }
  bool enabled() const { return phase() != v1::InterviewState::PHASE_UNSPECIFIED; }
  // Whether the user may speak or write.
  bool accepts_input() const { return !enabled() || phase() == v1::InterviewState::LISTENING; }

  // The conversation is open: its time begins.
  void Opened(TimePoint now);
  void UserTurn(TimePoint now);

  // Whether a limit wants the assessment now; `turn_under_way`: somebody is in the middle of
  // something. The reason is in words.
  std::optional<std::string> TakeLimit(TimePoint now, bool turn_under_way);

  // LISTENING -> ASSESSING. False: not from here.
  bool Trigger(std::string reason, TimePoint now);
  // Whether the transcript is to be given away now, and for how long transcripts are still awaited.
  // Up to twice: as it is, to be stored; and, after no more waiting, fixed.
  std::optional<Duration> TakeSubmission(bool transcripts_pending, TimePoint now);
  // Whether the client is to be told now that the assessment began, because it is stored; true
  // once.
  bool TakeAnnouncement(TimePoint now);
  // Whether the client is to be told now that storing takes its time; true once.
  bool TakeStoringNotice(TimePoint now);
  // FAILED -> ASSESSING. What was never stored is to be given away again.
  bool Retry(TimePoint now);
  // ASSESSING or FAILED -> FAILED or SUMMARISING. False: not from here.
  bool Fail();
  bool Complete();
  void SummaryOver();

  // Whether a sign of life is due; it is then due again later.
  bool TakeKeepalive(TimePoint now);
  bool sends_keepalives() const { return keepalive_.has_value(); }

  std::optional<TimePoint> NextDeadline() const;

 private:
  void LimitReached(std::string reason, TimePoint now);
  void AwaitTranscripts(TimePoint now);
  void Enter(v1::InterviewState::Phase phase) { state_.set_phase(phase); }

  const std::string assessment_id_;
  const unsigned turns_max_;
  const Duration time_max_;
  v1::InterviewState state_;
  std::optional<TimePoint> time_limit_;
  std::optional<TimePoint> limit_grace_;  // A limit was reached: at the latest now.
  std::string limit_reason_;
  std::optional<TimePoint> transcripts_;  // Awaited until then; the submission is still to come.
  bool store_as_it_is_ = false;           // Before that.
  std::optional<TimePoint> storing_notice_;
  std::optional<TimePoint> keepalive_;
};

}  // namespace voicebridge::worker

#include "bridge_worker/conversation/interview_flow.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace voicebridge::worker {
namespace {

using Phase = v1::InterviewState;

constexpr std::string_view kSessionPrefix = "sess_";

// One session has one assessment, so its id can follow from the session's.
std::string AssessmentIdOf(std::string_view session_id) {
  if (session_id.starts_with(kSessionPrefix)) {
    session_id.remove_prefix(kSessionPrefix.size());
  }
  return fmt::format("asmt_{}", session_id);
}

}  // namespace

InterviewFlow::InterviewFlow(const v1::Profile& profile, std::string_view session_id)
    : assessment_id_(AssessmentIdOf(session_id)),
      turns_max_(profile.assessment().turns_max() == 0 ? 40 : profile.assessment().turns_max()),
      time_max_(seconds(
          profile.assessment().seconds_max() == 0 ? 1200 : profile.assessment().seconds_max())) {
  if (profile.has_assessment()) {
    Enter(Phase::LISTENING);
  }
}

void InterviewFlow::Restore(const v1::InterviewState& state, TimePoint now) {
  if (!enabled() || state.phase() == Phase::PHASE_UNSPECIFIED) {
    return;
  }
  state_ = state;
  if (phase() == Phase::SUMMARISING) {
    Enter(Phase::ENDED);
  } else if (phase() == Phase::ASSESSING) {
    keepalive_ = now + kKeepalive;
    AwaitTranscripts(now);
  }
}

void InterviewFlow::Opened(TimePoint now) {
  if (phase() == Phase::LISTENING) {
    time_limit_ = now + time_max_;
  }
}

void InterviewFlow::UserTurn(TimePoint now) {
  if (phase() != Phase::LISTENING) {
    return;
  }
  state_.set_user_turns(state_.user_turns() + 1);
  if (state_.user_turns() >= turns_max_) {
    LimitReached(fmt::format("The interview reached its {} turns.", turns_max_), now);
  }
}

void InterviewFlow::LimitReached(std::string reason, TimePoint now) {
  if (!limit_grace_) {
    limit_grace_ = now + kLimitGrace;
    limit_reason_ = std::move(reason);
  }
}

std::optional<std::string> InterviewFlow::TakeLimit(TimePoint now, bool turn_under_way) {
  if (phase() != Phase::LISTENING) {
    return std::nullopt;
  }
  if (time_limit_ && now >= *time_limit_) {
    time_limit_.reset();
    LimitReached(fmt::format("The interview reached its {} s.",
                             std::chrono::duration_cast<seconds>(time_max_).count()),
                 now);
  }
  if (!limit_grace_ || (turn_under_way && now < *limit_grace_)) {
    return std::nullopt;
  }
  limit_grace_.reset();
  return std::move(limit_reason_);
}

bool InterviewFlow::Trigger(std::string reason, TimePoint now) {
  if (phase() != Phase::LISTENING) {
    return false;
  }
  Enter(Phase::ASSESSING);
  state_.set_assessment_id(assessment_id_);
  state_.set_reason(std::move(reason));
  time_limit_.reset();
  limit_grace_.reset();
  keepalive_ = now + kKeepalive;
  AwaitTranscripts(now);
  return true;
}

// Those of a submission are fixed.
void InterviewFlow::AwaitTranscripts(TimePoint now) {
  transcripts_ = state_.submitted() ? now : now + kTranscriptsMax;
  store_as_it_is_ = true;
  if (!state_.announced()) {
    storing_notice_ = now + kStoringShown;
  }
}

std::optional<Duration> InterviewFlow::TakeSubmission(bool transcripts_pending, TimePoint now) {
  if (!transcripts_) {
    return std::nullopt;
  }
  if (!transcripts_pending || now >= *transcripts_) {
    transcripts_.reset();
    state_.set_submitted(true);
    return Duration::zero();
  }
  return std::exchange(store_as_it_is_, false) ? std::optional(*transcripts_ - now) : std::nullopt;
}

bool InterviewFlow::TakeAnnouncement(TimePoint now) {
  if (state_.announced()) {
    return false;
  }
  state_.set_announced(true);
  storing_notice_.reset();
  if (keepalive_) {
    keepalive_ = now + kKeepalive;  // It is a sign of life.
  }
  return true;
}

bool InterviewFlow::TakeStoringNotice(TimePoint now) {
  if (!storing_notice_ || now < *storing_notice_) {
    return false;
  }
  storing_notice_.reset();
  return true;
}

bool InterviewFlow::Retry(TimePoint now) {
  if (phase() != Phase::FAILED) {
    return false;
  }
  Enter(Phase::ASSESSING);
  keepalive_ = now + kKeepalive;
  if (!state_.announced()) {
    AwaitTranscripts(now);
  }
  return true;
}

bool InterviewFlow::Fail() {
  if (phase() != Phase::ASSESSING) {
    return false;
  }
  Enter(Phase::FAILED);
  keepalive_.reset();
  if (!state_.announced()) {
    transcripts_.reset();
    storing_notice_.reset();
  }
  return true;
}

// Also from FAILED: a retry may have been asked for elsewhere.
bool InterviewFlow::Complete() {
  if (phase() != Phase::ASSESSING && phase() != Phase::FAILED) {
    return false;
  }
  Enter(Phase::SUMMARISING);
  keepalive_.reset();
  return true;
}

void InterviewFlow::SummaryOver() {
  if (phase() == Phase::SUMMARISING) {
    Enter(Phase::ENDED);
  }
}

bool InterviewFlow::TakeKeepalive(TimePoint now) {
  if (!keepalive_ || now < *keepalive_) {
    return false;
  }
  keepalive_ = now + kKeepalive;
  return true;
}

std::optional<TimePoint> InterviewFlow::NextDeadline() const {
  std::optional<TimePoint> next;
  for (const auto& each : {time_limit_, limit_grace_, transcripts_, storing_notice_, keepalive_}) {
    if (each) {
      next = std::min(next.value_or(TimePoint::max()), *each);
    }
  }
  return next;
}

}  // namespace voicebridge::worker

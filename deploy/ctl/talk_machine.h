// One push-to-talk turn as a client of OpenAI's Realtime protocol, without sockets or clocks.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/core/deadline.h"
#include "common/json/json.h"
#include "deploy/ctl/captions.h"

namespace voicebridge::ctl {

// What the driver does next, in order.
struct SendText {
  std::string json;
};
struct SendSpeech {};  // All of it as input_audio_buffer.append; then OnSpeechSent.
struct Print {
  std::string line;  // Progress, for people.
};
struct Finish {
  absl::Status status;  // Not OK: what happened, and what to do about it.
};
using TalkEffect = std::variant<SendText, SendSpeech, Print, Finish>;
using TalkEffects = std::vector<TalkEffect>;

// What is known of the turn so far.
struct TalkResult {
  std::string session_id;
  std::string user_item_id;             // Empty: not committed yet.
  std::string pcm;                      // The answer's audio.
  std::optional<Duration> first_audio;  // Since the last speech was sent.
};

// Owned by the driver of one talk. Finish is the last effect; nothing comes after it.
class TalkMachine {
 public:
  explicit TalkMachine(Duration speech) : speech_(speech) {}

  TalkEffects OnEvent(const json::object& event, TimePoint now);
  TalkEffects OnSpeechSent(TimePoint now);
  TalkEffects OnClosed(std::uint16_t code, std::string_view reason);
  // NextDeadline has come.
  TalkEffects OnTime(TimePoint now);
  std::optional<Deadline> NextDeadline() const { return transcript_deadline_; }

  // What it waits for, for the message of a timeout.
  std::string_view WaitingFor() const;

  const TalkResult& result() const { return result_; }
  const Captions& captions() const { return captions_; }

 private:
  enum class Phase {
    kSession,     // Waits for session.created.
    kUpdate,      // Waits for session.updated.
    kSpeech,      // Speech is being sent.
    kAnswer,      // A response is wanted or runs.
    kTranscript,  // Only the user's transcript is missing.
    kFinished,
  };
  struct FunctionCall {
    std::string call_id;
    std::string name;
  };

  void OnSessionReady(const json::object& event);
  void OnSessionCreated(const json::object& event);
  void OnSessionUpdated();
  void OnError(const json::object& event);
  void OnCommitted(const json::object& event);
  void OnTranscriptionFailed(const json::object& event);
  void OnOutputItem(const json::object& event);
  void OnAudio(const json::object& event, TimePoint now);
  void OnResponseDone(const json::object& event, TimePoint now);
  void OnSessionEnded(const json::object& event);

  void StartSpeech();
  void NoteFunctionCall(const json::object& item);
  void AnswerFunctionCalls();
  void SettleTranscript();
  void ShowCaptions();
  void End(absl::Status status);
  void Add(TalkEffect effect);
  TalkEffects Take();

  const Duration speech_;
  Phase phase_ = Phase::kSession;
  bool transcription_on_ = true;
  int function_rounds_ = 0;
  std::vector<FunctionCall> function_calls_;  // Of the running response.
  TimePoint speech_sent_at_;
  std::optional<Deadline> transcript_deadline_;
  std::string end_message_;  // Of voicebridge.session.ended or the last error.
  Captions captions_;
  TalkResult result_;
  TalkEffects effects_;
};

}  // namespace voicebridge::ctl

#include "deploy/ctl/talk_machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/core/base64.h"
#include "common/core/status.h"
#include "common/core/time.h"

namespace voicebridge::ctl {
namespace {

using Speaker = Captions::Speaker;

constexpr Duration kTranscriptPatience = seconds(5);
constexpr int kFunctionRoundsMax = 3;
constexpr std::size_t kReplyBytesMax = 64U << 20U;  // 23 minutes.

// Our own event ids, so that an error names the event that it is about.
constexpr std::string_view kUpdateId = "talk_session_update";
constexpr std::string_view kCommitId = "talk_commit";
constexpr std::string_view kResponseId = "talk_response";

std::string Event(std::string_view type, std::string_view event_id, json::object members = {}) {
  members["type"] = type;
  members["event_id"] = event_id;
  return json::serialize(members);
}

std::string PushToTalkUpdate() {
  return Event(
      "session.update", kUpdateId,
      {{"session", {{"type", "realtime"}, {"audio", {{"input", {{"turn_detection", nullptr}}}}}}}});
}

std::string FunctionOutput(std::string_view call_id) {
  return Event("conversation.item.create", "talk_function_output",
               {{"item",
                 {{"type", "function_call_output"},
                  {"call_id", call_id},
                  {"output", R"({"error":"No tool is available in this conversation."})"}}}});
}

std::string AdviceForClose(std::uint16_t code) {
  switch (code) {
    case 1001:
    case 1012:
      return "The server is going away; try again.";
    case 1006:
      return "The connection broke; see the logs of gateway and worker.";
    case 1008:
      return "It was refused by policy; check --profile, --key and the limits in the message.";
    case 1013:
      return "The service cannot take a conversation now; try again in a moment.";
    case 3000:
      return "The upstream refused its key; check the key that it was started with.";
    default:
      return "See the logs of gateway and worker.";
  }
}

// "TYPE CODE: MESSAGE", as far as they are there.
std::string DescribeError(const json::object* error) {
  if (error == nullptr) {
    return "an error without details";
  }
  const std::string_view code = StringOr(*error, "code");
  return fmt::format("{}{}{}", code, code.empty() ? "" : ": ",
                     StringOr(*error, "message", "no message"));
}

bool IsOurs(std::string_view event_id) {
  return event_id == kUpdateId || event_id == kCommitId || event_id == kResponseId;
}

}  // namespace

TalkEffects TalkMachine::OnEvent(const json::object& event, TimePoint now) {
  const std::string_view type = StringOr(event, "type");
  const std::string_view item_id = StringOr(event, "item_id");
  if (phase_ == Phase::kFinished) {
    return {};
  }
  if (type == "session.created") {
    OnSessionCreated(event);
  } else if (type == "session.updated") {
    OnSessionUpdated();
  } else if (type == "voicebridge.session.ready") {
    OnSessionReady(event);
  } else if (type == "voicebridge.session.draining") {
    Add(Print{"the server is going away; it lets this turn end if it can"});
  } else if (type == "voicebridge.session.ended") {
    OnSessionEnded(event);
  } else if (type == "error") {
    OnError(event);
  } else if (type == "input_audio_buffer.committed") {
    OnCommitted(event);
  } else if (type == "conversation.item.input_audio_transcription.completed") {
    captions_.CompleteWith(item_id, StringOr(event, "transcript"));
  } else if (type == "conversation.item.input_audio_transcription.failed") {
    OnTranscriptionFailed(event);
  } else if (type == "response.output_item.added" || type == "response.output_item.done") {
    OnOutputItem(event);
  } else if (type == "response.output_audio_transcript.delta" ||
             type == "response.output_text.delta") {
    captions_.Append(item_id, StringOr(event, "delta"));
  } else if (type == "response.output_audio.delta") {
    OnAudio(event, now);
  } else if (type == "response.done") {
    OnResponseDone(event, now);
  }
  ShowCaptions();
  SettleTranscript();
  return Take();
}

TalkEffects TalkMachine::OnSpeechSent(TimePoint now) {
  if (phase_ != Phase::kSpeech) {
    return {};
  }
  phase_ = Phase::kAnswer;
  speech_sent_at_ = now;
  Add(Print{fmt::format("sent {:.1f} s of speech", ToSeconds(speech_))});
  Add(SendText{Event("input_audio_buffer.commit", kCommitId)});
  Add(SendText{Event("response.create", kResponseId)});
  return Take();
}

TalkEffects TalkMachine::OnClosed(std::uint16_t code, std::string_view reason) {
  if (phase_ != Phase::kFinished) {
    const std::string_view why = end_message_.empty() ? reason : std::string_view(end_message_);
    End(Unavailable("the connection was closed ({}{}{}) while waiting for {}\n{}", code,
                    why.empty() ? "" : ": ", why, WaitingFor(), AdviceForClose(code)));
  }
  return Take();
}

TalkEffects TalkMachine::OnTime(TimePoint now) {
  if (transcript_deadline_ && transcript_deadline_->HasPassed(now)) {
    captions_.CompleteWithout(result_.user_item_id, "no transcript came within 5 s");
    ShowCaptions();
    SettleTranscript();
  }
  return Take();
}

std::string_view TalkMachine::WaitingFor() const {
  switch (phase_) {
    case Phase::kSession:
      return "the session to be ready";
    case Phase::kUpdate:
      return "push-to-talk to be confirmed";
    case Phase::kSpeech:
      return "the speech to be taken";
    case Phase::kAnswer:
      return "the answer";
    case Phase::kTranscript:
      return "the transcript of the speech";
    case Phase::kFinished:
      return "nothing";
  }
  return "";
}

// Names the session as the gateway does, in its logs and reports; session.created names the
// upstream's.
void TalkMachine::OnSessionReady(const json::object& event) {
  result_.session_id = StringOr(event, "session_id");
  Add(Print{
      fmt::format("session {} (profile {})", result_.session_id, StringOr(event, "profile"))});
}

void TalkMachine::OnSessionCreated(const json::object& event) {
  const json::object* session = FindObject(event, "session");
  if (phase_ != Phase::kSession || session == nullptr) {
    return;
  }
  if (result_.session_id.empty()) {
    result_.session_id = StringOr(*session, "id");
  }
  Add(Print{"connected"});
  const json::value* transcription = FindPath(*session, "audio.input.transcription");
  transcription_on_ = transcription == nullptr || !transcription->is_null();
  const json::value* turn_detection = FindPath(*session, "audio.input.turn_detection");
  if (turn_detection != nullptr && turn_detection->is_object()) {
    phase_ = Phase::kUpdate;
    Add(SendText{PushToTalkUpdate()});
  } else {
    StartSpeech();
  }
}

void TalkMachine::OnSessionUpdated() {
  if (phase_ == Phase::kUpdate) {
    StartSpeech();
  }
}

void TalkMachine::StartSpeech() {
  phase_ = Phase::kSpeech;
  Add(SendSpeech{});
}

void TalkMachine::OnError(const json::object& event) {
  const json::object* error = FindObject(event, "error");
  end_message_ = DescribeError(error);
  Add(Print{"error " + end_message_});
  const std::string_view about = error == nullptr ? "" : StringOr(*error, "event_id");
  if (!IsOurs(about)) {
    return;  // Fatal ones are followed by a close.
  }
  if (about == kUpdateId) {
    End(
        InvalidArgument("turn detection cannot be switched off: {}\n"
                        "Choose a profile that lets the client do that.",
                        end_message_));
  } else {
    End(
        InvalidArgument("the turn was refused: {}\n"
                        "See the logs of gateway and worker.",
                        end_message_));
  }
}

void TalkMachine::OnCommitted(const json::object& event) {
  const std::string_view item_id = StringOr(event, "item_id");
  captions_.Add(item_id, Speaker::kUser);
  result_.user_item_id = item_id;
  if (!transcription_on_) {
    captions_.CompleteWithout(item_id, "the profile has no transcription of speech");
  }
}

void TalkMachine::OnTranscriptionFailed(const json::object& event) {
  captions_.CompleteWithout(
      StringOr(event, "item_id"),
      fmt::format("no transcript: {}", DescribeError(FindObject(event, "error"))));
}

void TalkMachine::OnOutputItem(const json::object& event) {
  const json::object* item = FindObject(event, "item");
  if (item == nullptr) {
    return;
  }
  const std::string_view item_id = StringOr(*item, "id");
  const bool done = StringOr(event, "type") == "response.output_item.done";
  if (StringOr(*item, "type") == "message") {
    captions_.Add(item_id, Speaker::kAssistant);
    if (done) {
      captions_.Complete(item_id);
    }
  } else if (done) {
    NoteFunctionCall(*item);
  }
}

void TalkMachine::NoteFunctionCall(const json::object& item) {
  if (StringOr(item, "type") != "function_call" || StringOr(item, "status") != "completed") {
    return;  // An interrupted call has no complete arguments and wants no output.
  }
  FunctionCall call{std::string(StringOr(item, "call_id")), std::string(StringOr(item, "name"))};
  const bool known =
      std::any_of(function_calls_.begin(), function_calls_.end(),
                  [&call](const FunctionCall& other) { return other.call_id == call.call_id; });
  if (!known) {
    function_calls_.push_back(std::move(call));
  }
}

void TalkMachine::OnAudio(const json::object& event, TimePoint now) {
  const std::optional<std::string> pcm = DecodeBase64(StringOr(event, "delta"));
  if (!pcm || pcm->size() % 2 != 0) {
    End(
        InvalidArgument("the server sent audio that is not base64 of whole PCM16 samples\n"
                        "Is this URL a voicebridge gateway?"));
    return;
  }
  if (result_.pcm.size() + pcm->size() > kReplyBytesMax) {
    End(
        InvalidArgument("the answer is longer than {} MiB of audio\n"
                        "Ask for something shorter.",
                        kReplyBytesMax >> 20U));
    return;
  }
  if (!result_.first_audio) {
    result_.first_audio = now - speech_sent_at_;
  }
  result_.pcm += *pcm;
}

void TalkMachine::OnResponseDone(const json::object& event, TimePoint now) {
  const json::object* response = FindObject(event, "response");
  if (phase_ != Phase::kAnswer || response == nullptr) {
    return;
  }
  captions_.CompleteAll(Speaker::kAssistant);
  const std::string_view status = StringOr(*response, "status");
  if (status == "failed" || status == "cancelled") {
    const json::object* details = FindObject(*response, "status_details");
    const json::object* error = details == nullptr ? nullptr : FindObject(*details, "error");
    ShowCaptions();
    End(Unavailable("the answer {}: {}\nTry again; the logs of the worker say more.",
                    status == "failed" ? "failed" : "was cancelled",
                    error != nullptr     ? DescribeError(error)
                    : details != nullptr ? std::string(StringOr(*details, "reason", "no reason"))
                                         : "no reason"));
    return;
  }
  if (status == "incomplete") {
    Add(Print{"the answer is incomplete: it reached a limit of the model"});
  }
  if (!function_calls_.empty()) {
    AnswerFunctionCalls();
    return;
  }
  phase_ = Phase::kTranscript;
  transcript_deadline_ = Deadline::After(now, kTranscriptPatience);
}

void TalkMachine::AnswerFunctionCalls() {
  if (++function_rounds_ > kFunctionRoundsMax) {
    End(
        InvalidArgument("the model called functions in {} answers in a row\n"
                        "This command offers none; choose a profile without tools.",
                        function_rounds_));
    return;
  }
  for (const FunctionCall& call : function_calls_) {
    Add(Print{fmt::format("the model calls {}; told that no tool is available", call.name)});
    Add(SendText{FunctionOutput(call.call_id)});
  }
  function_calls_.clear();
  Add(SendText{Event("response.create", kResponseId)});
}

void TalkMachine::OnSessionEnded(const json::object& event) {
  end_message_ =
      fmt::format("{}: {}", StringOr(event, "reason", "ended"), StringOr(event, "message"));
}

void TalkMachine::SettleTranscript() {
  // A server that never confirmed the commit has no transcript to wait for.
  const bool there = result_.user_item_id.empty() || captions_.IsComplete(result_.user_item_id);
  if (phase_ == Phase::kTranscript && there) {
    ShowCaptions();
    End(absl::OkStatus());
  }
}

void TalkMachine::ShowCaptions() {
  for (std::string& line : captions_.TakeReady()) {
    Add(Print{std::move(line)});
  }
}

void TalkMachine::End(absl::Status status) {
  if (phase_ != Phase::kFinished) {
    phase_ = Phase::kFinished;
    transcript_deadline_.reset();
    effects_.emplace_back(Finish{std::move(status)});
  }
}

void TalkMachine::Add(TalkEffect effect) {
  if (phase_ != Phase::kFinished) {
    effects_.push_back(std::move(effect));
  }
}

TalkEffects TalkMachine::Take() { return std::exchange(effects_, {}); }

}  // namespace voicebridge::ctl

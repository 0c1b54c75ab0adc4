// What the model hears: audio, turn detection, items of the client.
#include <algorithm>
#include <utility>

#include "common/core/audio.h"
#include "common/core/base64.h"
#include "common/core/status.h"
#include "tests/simulator/realtime_model.h"

namespace voicebridge::simulator {
namespace {

constexpr std::uint64_t kCommitSamplesMin = SamplesOfMilliseconds(100);
// Between the first voiced frame and its detection.
constexpr std::uint64_t kDetectionLagMs = 100;

Refusal InvalidAudio(std::string_view param) {
  return {"invalid_value",
          "Invalid 'audio'. Expected base64-encoded audio bytes (mono PCM16 at 24kHz) but got an "
          "invalid value.",
          std::string(param)};
}

std::optional<std::string> DecodePcm(std::string_view text) {
  std::optional<std::string> pcm = DecodeBase64(text);
  if (pcm && pcm->size() % kBytesPerSample != 0) {
    pcm.reset();
  }
  return pcm;
}

double SecondsOf(std::string_view pcm) {
  return static_cast<double>(SamplesOfBytes(pcm.size())) / static_cast<double>(kSamplesPerSecond);
}

json::object UserAudioItem(std::string_view item_id) {
  json::object part = {{"type", "input_audio"}, {"transcript", nullptr}};
  json::array content;
  content.push_back(std::move(part));
  return {{"id", item_id},     {"object", "realtime.item"},
          {"type", "message"}, {"status", "completed"},
          {"role", "user"},    {"content", std::move(content)}};
}

}  // namespace

RealtimeModel::Refused RealtimeModel::OnAppend(const json::object& event, TimePoint now) {
  const std::optional<std::string> pcm = DecodePcm(StringOr(event, "audio"));
  if (!pcm) {
    return InvalidAudio("audio");
  }
  record_.AddAppendedAudio(*pcm);
  input_.Append(*pcm);
  if (voice_activity_) {
    DetectSpeech(*pcm, now);
  }
  return std::nullopt;
}

RealtimeModel::Refused RealtimeModel::OnCommit(const json::object&, TimePoint now) {
  if (input_.samples() < kCommitSamplesMin) {
    const double buffered_ms =
        static_cast<double>(input_.samples()) / static_cast<double>(kSamplesPerMillisecond);
    return Refusal{"input_audio_buffer_commit_empty",
                   fmt::format("Error committing input audio buffer: buffer too small. Expected at "
                               "least 100ms of audio, but buffer only has {:.2f}ms of audio.",
                               buffered_ms)};
  }
  const std::string item_id =
      utterance_item_.empty() ? ids_.Next("item") : std::exchange(utterance_item_, {});
  if (voice_activity_) {
    voice_activity_->Reset();
  }
  CommitAudio(input_.TakeAll(), item_id, "client", now);
  return std::nullopt;
}

RealtimeModel::Refused RealtimeModel::OnClear(const json::object&, TimePoint) {
  input_.TakeAll();
  utterance_item_.clear();
  if (voice_activity_) {
    voice_activity_->Reset();
  }
  sink_.Send("input_audio_buffer.cleared", {});
  return std::nullopt;
}

void RealtimeModel::ApplyTurnDetection() {
  const std::optional<TurnDetection> detection = config_.turn_detection();
  if (!detection) {
    voice_activity_.reset();
    utterance_item_.clear();
    return;
  }
  if (!voice_activity_) {
    voice_activity_.emplace(input_.end());
  }
  voice_activity_->Configure({detection->threshold, detection->silence_duration_ms});
}

void RealtimeModel::DetectSpeech(std::string_view pcm, TimePoint now) {
  for (const SpeechEdge& edge : voice_activity_->Feed(pcm)) {
    if (edge.kind == SpeechEdge::Kind::kStarted) {
      OnSpeechStarted(edge.sample);
    } else {
      OnSpeechStopped(edge.sample, now);
    }
  }
  const std::uint64_t kept =
      SamplesOfMilliseconds(config_.turn_detection()->prefix_padding_ms + kDetectionLagMs);
  if (!voice_activity_->speaking() && input_.samples() > kept) {
    input_.DropBefore(input_.end() - kept);
  }
}

void RealtimeModel::OnSpeechStarted(std::uint64_t sample) {
  const TurnDetection detection = *config_.turn_detection();
  const std::uint64_t padding = SamplesOfMilliseconds(detection.prefix_padding_ms);
  const std::uint64_t start = std::max(sample - std::min(sample, padding), input_.first());
  input_.DropBefore(start);
  utterance_item_ = ids_.Next("item");
  sink_.Send("input_audio_buffer.speech_started",
             {{"audio_start_ms", MillisecondsOfSamples(start)}, {"item_id", utterance_item_}});
  ResponseRun* active = FindRun(ActiveResponse());
  if (detection.interrupt_response && active != nullptr) {
    active->Cancel("turn_detected");
  }
}

void RealtimeModel::OnSpeechStopped(std::uint64_t sample, TimePoint now) {
  sink_.Send("input_audio_buffer.speech_stopped",
             {{"audio_end_ms", MillisecondsOfSamples(sample)}, {"item_id", utterance_item_}});
  CommitAudio(input_.TakeUntil(sample), std::exchange(utterance_item_, {}), "vad", now);
  SettleRuns(now);
  if (config_.turn_detection()->create_response && ActiveResponse().empty()) {
    StartResponse({}, now);
  }
}

void RealtimeModel::CommitAudio(std::string pcm, const std::string& item_id, std::string_view by,
                                TimePoint now) {
  Item item;
  item.fields = UserAudioItem(item_id);
  item.heard_seconds = SecondsOf(pcm);
  const auto script = script_.TakeTranscript(options_.session_id).value_or(ScriptedTranscript());
  item.heard = script.text.value_or(TranscriptOf(item.heard_seconds));
  record_.AddUserItem({item_id, pcm.size(), Digest::HexOf(pcm), item.heard, std::string(by)});
  item.audio[0] = std::move(pcm);
  const Item* newest = items_.Newest();
  sink_.Send("input_audio_buffer.committed",
             {{"previous_item_id", IdOrNull(newest == nullptr ? "" : newest->id())},
              {"item_id", item_id}});
  TranscribeLater(item, script, now);
  AddItem(std::move(item), std::nullopt);
}

void RealtimeModel::TranscribeLater(const Item& item, const ScriptedTranscript& script,
                                    TimePoint now) {
  const std::optional<std::string> model = config_.transcription_model();
  if (!model) {
    return;
  }
  ActiveFaults& faults = options_.faults;
  std::vector<LaterEvent> events;
  if (script.fails || faults.Take(FaultId::kTranscriptionFail)) {
    events.push_back(FailedTranscriptionOf(item));
  } else {
    events = TranscriptionOf(item, *model);
  }
  const bool late = faults.Take(FaultId::kLateTranscription).has_value();
  const std::optional<Fault> delayed = faults.Take(FaultId::kTranscriptionDelay);
  const Duration usual = delayed ? milliseconds(*delayed->number) : options_.transcription_delay;
  const Duration delay = script.delay.value_or(usual);
  for (LaterEvent& event : events) {
    if (late) {
      after_response_.push_back(std::move(event));
    } else {
      SendLater(now + delay, std::move(event));
    }
  }
}

RealtimeModel::Refused RealtimeModel::OnItemCreate(const json::object& event, TimePoint) {
  Item item;
  item.fields = *FindObject(event, "item");
  Refused refusal;
  if (!TakePartAudio(item, refusal)) {
    return refusal;
  }
  if (Refused unknown = CheckCallIds(item)) {
    return unknown;
  }
  const std::string_view named = StringOr(event, "previous_item_id");
  const auto previous = named.empty() ? std::nullopt : std::optional<std::string>(named);
  if (previous && *previous != "root" && items_.Find(*previous) == nullptr) {
    return Refusal{
        "item_not_found",
        fmt::format("Error creating item: the previous item with id '{}' does not exist.", named),
        "previous_item_id"};
  }
  if (item.id().empty()) {
    item.fields["id"] = ids_.Next("item");
  } else if (items_.Find(item.id()) != nullptr) {
    // The live service takes it, and its conversation is ambiguous from then on.
    CountRefusal("conversation.item.create",
                 {"item_id_reused", fmt::format("The item id '{}' is in use.", item.id())});
  }
  item.fields["object"] = "realtime.item";
  item.fields["status"] = "completed";
  if (item.type() == "function_call" && StringOr(item.fields, "call_id").empty()) {
    item.fields["call_id"] = ids_.Next("call");
  }
  record_.AddClientItem(item.fields, item.Text());
  AddItem(std::move(item), previous);
  return std::nullopt;
}

// An id in use twice is taken by the live service; whom it means is a guess from then on.
RealtimeModel::Refused RealtimeModel::CheckCallIds(const Item& item) {
  const std::string_view call_id = StringOr(item.fields, "call_id");
  if (item.type() == "function_call_output" && !items_.HasCall(call_id)) {
    return Refusal{"invalid_tool_call_id",
                   fmt::format("Tool call ID '{}' not found in conversation.", call_id),
                   "item.call_id"};
  }
  if (item.type() == "function_call_output" && items_.HasOutput(call_id)) {
    CountRefusal("conversation.item.create",
                 {"call_answered_twice", fmt::format("The call '{}' has an output.", call_id)});
  }
  if (item.type() == "function_call" && !call_id.empty() && items_.HasCall(call_id)) {
    CountRefusal("conversation.item.create",
                 {"call_id_reused", fmt::format("The call id '{}' is in use.", call_id)});
  }
  return std::nullopt;
}

// Moves the audio of input_audio parts out of the fields. False: it is no audio.
bool RealtimeModel::TakePartAudio(Item& item, Refused& refusal) {
  json::value* content = item.fields.if_contains("content");
  if (content == nullptr) {
    return true;
  }
  json::array& parts = content->as_array();
  for (std::size_t index = 0; index < parts.size(); ++index) {
    json::object& part = parts[index].as_object();
    if (StringOr(part, "type") != "input_audio") {
      continue;
    }
    std::optional<std::string> pcm = DecodePcm(StringOr(part, "audio"));
    if (!pcm) {
      refusal = InvalidAudio(fmt::format("item.content[{}].audio", index));
      return false;
    }
    part.erase("audio");
    part.emplace("transcript", nullptr);
    item.heard_seconds += SecondsOf(*pcm);
    item.heard = std::string(StringOr(part, "transcript", TranscriptOf(item.heard_seconds)));
    item.audio[index] = *std::move(pcm);
  }
  return true;
}

void RealtimeModel::AddItem(Item item, const std::optional<std::string>& previous) {
  const json::object fields = item.fields;
  const std::string before = *items_.Insert(std::move(item), previous);
  json::object event = {{"previous_item_id", IdOrNull(before)}, {"item", fields}};
  sink_.Send("conversation.item.added", event);
  sink_.Send("conversation.item.done", std::move(event));
}

}  // namespace voicebridge::simulator

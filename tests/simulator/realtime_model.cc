#include "tests/simulator/realtime_model.h"

#include <algorithm>
#include <array>
#include <utility>

#include "common/core/audio.h"
#include "common/core/base64.h"
#include "common/core/status.h"
#include "tests/simulator/strictness.h"

namespace voicebridge::simulator {
namespace {

// As measured on the live service.
constexpr Duration kRateLimitsDelay = milliseconds(43);
constexpr Duration kLateTranscription = milliseconds(80);
constexpr std::uint64_t kTokenLimit = 40'000;

json::object RateLimits(std::uint64_t used) {
  json::object tokens = {{"name", "tokens"},
                         {"limit", kTokenLimit},
                         {"remaining", kTokenLimit - std::min(used, kTokenLimit)},
                         {"reset_seconds", 0.015 * static_cast<double>(used % 1000)}};
  json::array limits;
  limits.push_back(std::move(tokens));
  json::object fields;
  fields["rate_limits"] = std::move(limits);
  return fields;
}

}  // namespace

RealtimeModel::RealtimeModel(ModelOptions options, SessionRecord& record, ReplyScript& script,
                             TimePoint now)
    : options_(std::move(options)),
      record_(record),
      script_(script),
      ids_(options_.id_seed),
      sink_(record_, ids_),
      config_(
          options_.session_id, options_.model,
          options_.unix_now + std::chrono::duration_cast<seconds>(options_.session_length).count()),
      conversation_id_(ids_.Next("conv")),
      interviewer_(options_.interview_turns),
      expires_(now + options_.session_length) {
  ApplyTurnDetection();
  sink_.SetNovelties(options_.faults.Has(FaultId::kUnknownEvents));
}

void RealtimeModel::AddFault(const Fault& fault) {
  options_.faults.Add(fault);
  sink_.SetNovelties(options_.faults.Has(FaultId::kUnknownEvents));
}

Effects RealtimeModel::Start(TimePoint) {
  sink_.Send("session.created", {{"session", config_.value()}});
  return sink_.Take();
}

Effects RealtimeModel::HandleText(std::string_view message, TimePoint now) {
  const auto event = ParseObject(message);
  if (!event.ok()) {
    record_.CountReceived("other");
    Refuse("other", {"invalid_json", "Invalid event: failed to parse JSON value. "}, nullptr);
    return sink_.Take();
  }
  const std::string_view type = StringOr(*event, "type");
  const std::string_view counted = IsClientEventType(type) ? type : "other";
  record_.CountReceived(counted);
  if (const Refused refusal = Judge(*event, now)) {
    const json::string* event_id = FindString(*event, "event_id");
    Refuse(type.empty() ? counted : type, *refusal,
           event_id == nullptr ? json::value(nullptr) : json::value(*event_id));
  }
  SettleRuns(now);
  return sink_.Take();
}

Effects RealtimeModel::HandleBinary(TimePoint) {
  record_.CountReceived("binary");
  Refuse("binary",
         {"invalid_event", "Expected a text WebSocket message; binary frames are not supported."},
         nullptr);
  return sink_.Take();
}

Effects RealtimeModel::HandleSpeech(std::uint64_t token, std::string pcm, TimePoint now) {
  for (const auto& run : runs_) {
    if (run->settings().number == token / kOutputsMax) {
      run->TakeSpeech(token % kOutputsMax, std::move(pcm), now);
      break;
    }
  }
  return sink_.Take();
}

Effects RealtimeModel::HandleTime(TimePoint now) {
  ExpireIfDue(now);
  SendDueEvents(now);
  for (const auto& run : runs_) {
    run->Step(now);
  }
  SettleRuns(now);
  return sink_.Take();
}

std::optional<TimePoint> RealtimeModel::NextDeadline() const {
  std::optional<TimePoint> next = expired_ ? std::nullopt : std::optional(expires_);
  const auto consider = [&next](TimePoint when) { next = next ? std::min(*next, when) : when; };
  if (!later_.empty()) {
    consider(later_.begin()->first);
  }
  for (const auto& run : runs_) {
    if (const auto due = run->NextDeadline()) {
      consider(*due);
    }
  }
  return next;
}

Effects RealtimeModel::BeginFlood() {
  ResponseSettings settings = SettingsOf({});
  settings.id = ids_.Next("resp");
  settings.conversation_id = conversation_id_;
  flood_.emplace(std::move(settings), ids_.Next("item"));
  flood_->Begin(sink_, record_);
  return sink_.Take();
}

Effects RealtimeModel::FloodMore() {
  // Half a second of a saw-tooth: loud enough to be noticed, and no work per event.
  static constexpr std::size_t kBytes = SamplesOfMilliseconds(500) * kBytesPerSample;
  static const std::string audio = [] {
    std::string pcm;
    for (std::size_t index = 0; index < kBytes; ++index) {
      pcm += static_cast<char>(index % 2 == 0 ? 0 : index / 2 % 32);
    }
    std::string encoded;
    AppendBase64(pcm, encoded);
    return encoded;
  }();
  flood_->SendDelta(sink_, record_, audio, kBytes);
  return sink_.Take();
}

RealtimeModel::Handler RealtimeModel::HandlerOf(std::string_view type) {
  struct Entry {
    std::string_view type;
    Handler handler;
  };
  static constexpr std::array<Entry, 11> kHandlers = {
      {{"input_audio_buffer.append", &RealtimeModel::OnAppend},
       {"session.update", &RealtimeModel::OnSessionUpdate},
       {"session.close", &RealtimeModel::OnSessionClose},
       {"input_audio_buffer.commit", &RealtimeModel::OnCommit},
       {"input_audio_buffer.clear", &RealtimeModel::OnClear},
       {"conversation.item.create", &RealtimeModel::OnItemCreate},
       {"conversation.item.retrieve", &RealtimeModel::OnItemRetrieve},
       {"conversation.item.delete", &RealtimeModel::OnItemDelete},
       {"conversation.item.truncate", &RealtimeModel::OnItemTruncate},
       {"response.create", &RealtimeModel::OnResponseCreate},
       {"response.cancel", &RealtimeModel::OnResponseCancel}}};
  const auto entry = std::find_if(kHandlers.begin(), kHandlers.end(),
                                  [&](const Entry& one) { return one.type == type; });
  return entry->handler;  // Every type that passes CheckClientEvent is listed.
}

RealtimeModel::Refused RealtimeModel::Judge(const json::object& event, TimePoint now) {
  if (Refused refusal = CheckClientEvent(event)) {
    return refusal;
  }
  return (this->*HandlerOf(StringOr(event, "type")))(event, now);
}

void RealtimeModel::Refuse(std::string_view type, const Refusal& refusal,
                           const json::value& event_id) {
  const bool nameless = options_.faults.Take(FaultId::kErrorWithoutEventId).has_value();
  json::object error = {{"type", "invalid_request_error"},
                        {"code", refusal.code},
                        {"message", refusal.message},
                        {"param", IdOrNull(refusal.param)},
                        {"event_id", nameless ? json::value(nullptr) : event_id}};
  sink_.Send("error", {{"error", std::move(error)}});
  CountRefusal(type, refusal);
}

void RealtimeModel::CountRefusal(std::string_view type, const Refusal& refusal) {
  record_.AddRefusal(type, refusal);
  if (options_.strict) {
    sink_.Close(1008, "strict: " + refusal.code);
  }
}

RealtimeModel::Refused RealtimeModel::OnSessionUpdate(const json::object& event, TimePoint now) {
  const json::object& update = *FindObject(event, "session");
  if (Refused refusal = CheckUpdate(update)) {
    return refusal;
  }
  config_.Merge(update);
  ApplyTurnDetection();
  record_.AddSessionUpdate(config_.value());
  json::object fields = {{"session", config_.value()}};
  const Duration delay = options_.faults.Milliseconds(FaultId::kConfigureDelay);
  if (delay > Duration::zero()) {
    SendLater(now + delay, {"session.updated", std::move(fields)});
  } else {
    sink_.Send("session.updated", std::move(fields));
  }
  return std::nullopt;
}

RealtimeModel::Refused RealtimeModel::CheckUpdate(const json::object& session) const {
  if (StringOr(session, "type") != "realtime") {
    return Refusal{"invalid_parameter",
                   "Passing a transcription session update event to a realtime session is not "
                   "allowed."};
  }
  const std::string_view model = StringOr(session, "model", options_.model);
  if (model != options_.model) {
    return Refusal{
        "invalid_value",
        fmt::format("Invalid value: '{}'. The model of a session cannot be changed.", model),
        "session.model"};
  }
  if (FindObject(session, "reasoning") != nullptr && !IsReasoningModel(options_.model)) {
    return Refusal{"invalid_parameter", "Reasoning is not supported by this model.",
                   "session.reasoning"};
  }
  return CheckVoice(session, "session.audio.output.voice");
}

RealtimeModel::Refused RealtimeModel::CheckVoice(const json::object& settings,
                                                 std::string_view path) const {
  const json::value* voice = FindPath(settings, "audio.output.voice");
  if (voice == nullptr || !voice_locked_ || *voice == config_.voice()) {
    return std::nullopt;
  }
  return Refusal{"cannot_update_voice",
                 "Cannot update a conversation's voice if assistant audio is present.",
                 std::string(path)};
}

RealtimeModel::Refused RealtimeModel::OnSessionClose(const json::object&, TimePoint) {
  sink_.Close(1000, "");
  return std::nullopt;
}

RealtimeModel::Refused RealtimeModel::OnItemRetrieve(const json::object& event, TimePoint) {
  const std::string_view id = StringOr(event, "item_id");
  const Item* item = items_.Find(id);
  if (item == nullptr) {
    return Refusal{"item_retrieve_invalid_item_id",
                   fmt::format("Error retrieving item: the item with id '{}' does not exist.", id)};
  }
  sink_.Send("conversation.item.retrieved", {{"item", item->WithAudio()}});
  return std::nullopt;
}

RealtimeModel::Refused RealtimeModel::OnItemDelete(const json::object& event, TimePoint) {
  const std::string_view id = StringOr(event, "item_id");
  if (!items_.Erase(id)) {
    return Refusal{"item_delete_invalid_item_id",
                   fmt::format("Error deleting item: the item with id '{}' does not exist.", id)};
  }
  if (OutputItemRecord* output = record_.FindOutput(id)) {
    output->deleted = true;
  }
  sink_.Send("conversation.item.deleted", {{"item_id", id}});
  return std::nullopt;
}

RealtimeModel::Refused RealtimeModel::OnItemTruncate(const json::object& event, TimePoint) {
  const std::string_view id = StringOr(event, "item_id");
  const auto index = static_cast<std::size_t>(*FindInteger(event, "content_index"));
  const auto end_ms = static_cast<std::uint64_t>(*FindInteger(event, "audio_end_ms"));
  Item* item = items_.Find(id);
  if (item == nullptr) {
    return Refusal{"item_truncate_invalid_item_id",
                   fmt::format("Error truncating item: the item with id '{}' does not exist.", id)};
  }
  const auto audio = item->audio.find(index);
  if (item->role() != "assistant" || audio == item->audio.end()) {
    return Refusal{"unsupported_content_type", "Only model output audio messages can be truncated"};
  }
  const std::uint64_t generated_ms = MillisecondsOfSamples(SamplesOfBytes(audio->second.size()));
  if (end_ms > generated_ms) {
    return Refusal{
        "invalid_value",
        fmt::format("Audio content of {}ms is already shorter than {}ms", generated_ms, end_ms)};
  }
  audio->second.resize(SamplesOfMilliseconds(end_ms) * kBytesPerSample);
  item->truncated = true;
  item->fields["content"].as_array()[index].as_object().erase("transcript");
  if (OutputItemRecord* output = record_.FindOutput(id)) {
    output->truncated_at_ms = end_ms;
  }
  sink_.Send("conversation.item.truncated",
             {{"item_id", id}, {"content_index", index}, {"audio_end_ms", end_ms}});
  return std::nullopt;
}

void RealtimeModel::SettleRuns(TimePoint now) {
  for (const auto& run : runs_) {
    voice_locked_ = voice_locked_ || (run->settings().in_conversation() && run->has_sent_audio());
    if (run->finished()) {
      SendLater(now + kRateLimitsDelay, {"rate_limits.updated", RateLimits(100 * run_count_)});
      for (LaterEvent& event : std::exchange(after_response_, {})) {
        SendLater(now + kLateTranscription, std::move(event));
      }
    }
  }
  std::erase_if(runs_, [](const auto& run) { return run->finished(); });
}

void RealtimeModel::SendDueEvents(TimePoint now) {
  while (!later_.empty() && later_.begin()->first <= now) {
    LaterEvent later = std::move(later_.begin()->second);
    later_.erase(later_.begin());
    Item* item = items_.Find(later.heard_item);
    if (item != nullptr) {
      item->fields["content"].as_array()[0].as_object()["transcript"] = later.fields["transcript"];
    }
    sink_.Send(later.type, std::move(later.fields));
  }
}

void RealtimeModel::ExpireIfDue(TimePoint now) {
  if (expired_ || now < expires_) {
    return;
  }
  expired_ = true;
  const std::string message = "Your session hit the maximum duration of 60 minutes.";
  json::object error = {{"type", "invalid_request_error"},
                        {"code", "session_expired"},
                        {"message", message},
                        {"param", nullptr},
                        {"event_id", nullptr}};
  sink_.Send("error", {{"error", std::move(error)}});
  sink_.Close(1001, message);
}

}  // namespace voicebridge::simulator

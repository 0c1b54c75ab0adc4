#include "bridge_worker/upstream/realtime_protocol.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/string.hpp>
#include <utility>

#include "common/core/base64.h"
#include "common/core/status.h"

namespace voicebridge::worker {
namespace {

using Type = UpstreamEventType;

struct NamedType {
  std::string_view name;
  Type type;
};

// Every server event of the protocol, sorted by name.
constexpr std::array kEventTypes = std::to_array<NamedType>({
    {"conversation.created", Type::kPassedOn},
    {"conversation.item.added", Type::kItemAdded},
    {"conversation.item.deleted", Type::kItemDeleted},
    {"conversation.item.done", Type::kItemDone},
    {"conversation.item.input_audio_transcription.completed", Type::kTranscriptionCompleted},
    {"conversation.item.input_audio_transcription.delta", Type::kPassedOn},
    {"conversation.item.input_audio_transcription.failed", Type::kTranscriptionFailed},
    {"conversation.item.input_audio_transcription.segment", Type::kPassedOn},
    {"conversation.item.retrieved", Type::kPassedOn},
    {"conversation.item.truncated", Type::kItemTruncated},
    {"error", Type::kError},
    {"input_audio_buffer.cleared", Type::kPassedOn},
    {"input_audio_buffer.committed", Type::kInputCommitted},
    {"input_audio_buffer.speech_started", Type::kSpeechStarted},
    {"input_audio_buffer.speech_stopped", Type::kSpeechStopped},
    {"input_audio_buffer.timeout_triggered", Type::kInputTimedOut},
    {"mcp_list_tools.completed", Type::kPassedOn},
    {"mcp_list_tools.failed", Type::kPassedOn},
    {"mcp_list_tools.in_progress", Type::kPassedOn},
    {"rate_limits.updated", Type::kPassedOn},
    {"response.content_part.added", Type::kPassedOn},
    {"response.content_part.done", Type::kPassedOn},
    {"response.created", Type::kResponseCreated},
    {"response.done", Type::kResponseDone},
    {"response.function_call_arguments.delta", Type::kPassedOn},
    {"response.function_call_arguments.done", Type::kArgumentsDone},
    {"response.mcp_call.completed", Type::kPassedOn},
    {"response.mcp_call.failed", Type::kPassedOn},
    {"response.mcp_call.in_progress", Type::kPassedOn},
    {"response.mcp_call_arguments.delta", Type::kPassedOn},
    {"response.mcp_call_arguments.done", Type::kPassedOn},
    {"response.output_audio.delta", Type::kAudioDelta},
    {"response.output_audio.done", Type::kPassedOn},
    {"response.output_audio_transcript.delta", Type::kTranscriptDelta},
    {"response.output_audio_transcript.done", Type::kPassedOn},
    {"response.output_item.added", Type::kOutputItemAdded},
    {"response.output_item.done", Type::kOutputItemDone},
    {"response.output_text.delta", Type::kPassedOn},
    {"response.output_text.done", Type::kPassedOn},
    {"session.created", Type::kSessionCreated},
    {"session.updated", Type::kSessionUpdated},
});

constexpr bool IsSorted() {
  return std::is_sorted(kEventTypes.begin(), kEventTypes.end(),
                        [](const NamedType& a, const NamedType& b) { return a.name < b.name; });
}
static_assert(IsSorted(), "looked up by binary search");

Type TypeOf(std::string_view name) {
  const auto* found = std::lower_bound(
      kEventTypes.begin(), kEventTypes.end(), name,
      [](const NamedType& entry, std::string_view key) { return entry.name < key; });
  return found != kEventTypes.end() && found->name == name ? found->type : Type::kUnknown;
}

// The id beside the event's other fields, or inside the object that the event is about.
std::string IdOf(const json::object& body, std::string_view key, std::string_view object_key) {
  if (const json::string* id = FindString(body, key)) {
    return std::string(View(*id));
  }
  const json::object* object = FindObject(body, object_key);
  return object == nullptr ? std::string() : std::string(StringOr(*object, "id"));
}

json::value TextOrNull(std::string_view text) {
  return text.empty() ? json::value(nullptr) : json::value(json::string(text));
}

json::object Event(std::string_view type, std::string_view event_id) {
  return {{"type", json::string(type)}, {"event_id", json::string(event_id)}};
}

}  // namespace

absl::StatusOr<UpstreamEvent> ParseUpstreamEvent(std::string_view text) {
  auto body = ParseObject(text);
  if (!body.ok()) {
    return body.status();
  }
  const json::string* name = FindString(*body, "type");
  if (name == nullptr) {
    return InvalidArgument("field type: expected a string");
  }
  UpstreamEvent event;
  event.name = View(*name);
  event.type = TypeOf(event.name);
  event.event_id = StringOr(*body, "event_id");
  event.response_id = IdOf(*body, "response_id", "response");
  event.item_id = IdOf(*body, "item_id", "item");
  event.body = std::move(*body);
  return event;
}

ProtocolError ErrorOf(const json::object& body) {
  ProtocolError error;
  if (const json::object* inner = FindObject(body, "error")) {
    error.type = StringOr(*inner, "type");
    error.code = StringOr(*inner, "code");
    error.message = StringOr(*inner, "message");
    error.param = StringOr(*inner, "param");
    error.event_id = StringOr(*inner, "event_id");
  }
  return error;
}

std::string SessionUpdateEvent(std::string_view event_id, const json::object& session) {
  json::object event = Event("session.update", event_id);
  event["session"] = session;
  return json::serialize(event);
}

std::string ResponseCancelEvent(std::string_view event_id, std::string_view response_id) {
  json::object event = Event("response.cancel", event_id);
  event["response_id"] = json::string(response_id);
  return json::serialize(event);
}

std::string ItemDeleteEvent(std::string_view event_id, std::string_view item_id) {
  json::object event = Event("conversation.item.delete", event_id);
  event["item_id"] = json::string(item_id);
  return json::serialize(event);
}

std::string ItemTruncateEvent(std::string_view event_id, std::string_view item_id,
                              std::int64_t content_index, std::uint64_t audio_end_ms) {
  json::object event = Event("conversation.item.truncate", event_id);
  event["item_id"] = json::string(item_id);
  event["content_index"] = content_index;
  event["audio_end_ms"] = audio_end_ms;
  return json::serialize(event);
}

std::string ItemCreateEvent(std::string_view event_id, const json::object& item) {
  json::object event = Event("conversation.item.create", event_id);
  event["item"] = item;
  return json::serialize(event);
}

std::string ResponseCreateEvent(std::string_view event_id, const json::object& response) {
  json::object event = Event("response.create", event_id);
  event["response"] = response;
  return json::serialize(event);
}

std::string InputAudioCommitEvent(std::string_view event_id) {
  return json::serialize(Event("input_audio_buffer.commit", event_id));
}

std::string InputAudioAppendEvent(std::string_view pcm) {
  std::string event = R"({"type":"input_audio_buffer.append","audio":")";
  AppendBase64(pcm, event);
  event += "\"}";
  return event;
}

std::string ErrorEvent(std::string_view event_id, const ProtocolError& error) {
  json::object event = Event("error", event_id);
  event["error"] = {{"type", json::string(error.type)},
                    {"code", TextOrNull(error.code)},
                    {"message", json::string(error.message)},
                    {"param", TextOrNull(error.param)},
                    {"event_id", TextOrNull(error.event_id)}};
  return json::serialize(event);
}

std::string ItemTruncatedEvent(std::string_view event_id, std::string_view item_id,
                               std::int64_t content_index, std::uint64_t audio_end_ms) {
  json::object event = Event("conversation.item.truncated", event_id);
  event["item_id"] = json::string(item_id);
  event["content_index"] = content_index;
  event["audio_end_ms"] = audio_end_ms;
  return json::serialize(event);
}

}  // namespace voicebridge::worker

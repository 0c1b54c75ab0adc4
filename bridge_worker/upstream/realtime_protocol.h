// The Realtime protocol as text: server events read as far as we look into them, client events and
// the server events that we answer with written. Pure functions; no state.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "common/json/json.h"

namespace voicebridge::worker {

// The server events that mean something to us. kPassedOn are those of OpenAI's list that we only
// forward.
enum class UpstreamEventType {
  kUnknown,
  kPassedOn,
  kError,
  kSessionCreated,
  kSessionUpdated,
  kItemAdded,
  kItemDone,
  kItemDeleted,
  kItemTruncated,
  kTranscriptionCompleted,
  kTranscriptionFailed,
  kInputCommitted,
  kInputTimedOut,
  kSpeechStarted,
  kSpeechStopped,
  kResponseCreated,
  kResponseDone,
  kOutputItemAdded,
  kOutputItemDone,
  kAudioDelta,
  kTranscriptDelta,
  kArgumentsDone,
};

// Where each kind of event carries its ids differs; here they have one place. Absent ones are
// empty.
struct UpstreamEvent {
  UpstreamEventType type = UpstreamEventType::kUnknown;
  std::string name;
  std::string event_id;
  std::string response_id;
  std::string item_id;
  json::object body;
};

// INVALID_ARGUMENT: not a JSON object, or without a string `type`.
absl::StatusOr<UpstreamEvent> ParseUpstreamEvent(std::string_view text);

// The inside of an `error` event. Empty members are written as null.
struct ProtocolError {
  std::string type = "invalid_request_error";
  std::string code;
  std::string message;
  std::string param;
  std::string event_id;  // Of the client event that failed.
};

ProtocolError ErrorOf(const json::object& body);

// --- client events, complete ---------------------------------------------------------------------

std::string SessionUpdateEvent(std::string_view event_id, const json::object& session);
std::string ResponseCancelEvent(std::string_view event_id, std::string_view response_id);
std::string ItemDeleteEvent(std::string_view event_id, std::string_view item_id);
std::string ItemTruncateEvent(std::string_view event_id, std::string_view item_id,
                              std::int64_t content_index, std::uint64_t audio_end_ms);
std::string ItemCreateEvent(std::string_view event_id, const json::object& item);
std::string ResponseCreateEvent(std::string_view event_id, const json::object& response);
std::string InputAudioCommitEvent(std::string_view event_id);
std::string InputAudioAppendEvent(std::string_view pcm);

// --- server events that we answer with -----------------------------------------------------------

std::string ErrorEvent(std::string_view event_id, const ProtocolError& error);
std::string ItemTruncatedEvent(std::string_view event_id, std::string_view item_id,
                               std::int64_t content_index, std::uint64_t audio_end_ms);

}  // namespace voicebridge::worker

// The browser's side of the wire in JSON mode: OpenAI's Realtime events as text messages. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "voicebridge/v1/bridge.pb.h"

namespace voicebridge::gateway {

// A client event other than audio; the message itself is forwarded unchanged.
struct DecodedEvent {
  std::string type;
  std::string event_id;  // Empty: none.
  // Where present: of conversation.item.truncate, which the relay clamps, and of response.cancel.
  std::string item_id;
  std::string response_id;
  std::int64_t audio_end_ms = -1;  // -1: not a truncate.
};
struct DecodedAudio {
  std::string pcm;  // Whole samples, possibly none.
};
// What the client is told instead; the session goes on.
struct DecodeError {
  std::string event_json;  // A complete `error` event in OpenAI's shape.
};
using Decoded = std::variant<DecodedEvent, DecodedAudio, DecodeError>;

// Checks what can be checked without the conversation: valid JSON, an object, `type` a string,
// `event_id` a string, audio a string of base64 with whole samples, and for the event types that
// OpenAI documents the presence and JSON type of their members. Types that we do not know pass.
Decoded DecodeClientText(std::string_view text);

// A binary message in JSON mode: OpenAI's `invalid_event` error.
DecodeError RefuseBinary();

// A complete `error` event. Empty param, code or client_event_id become null.
std::string ErrorEvent(std::string_view type, std::string_view code, std::string_view message,
                       std::string_view param, std::string_view client_event_id);

// Rewrites the audio_end_ms of a conversation.item.truncate.
std::string WithAudioEnd(std::string_view truncate_json, std::int64_t audio_end_ms);

// response.output_audio.delta, appended to `out` (which the caller reuses).
void EncodeAudioDelta(const v1::ServerAudio& audio, std::string& out);

// The events named voicebridge.*, complete.
std::string SessionReadyEvent(std::string_view session_id, std::string_view profile,
                              std::string_view access_token);
std::string SessionDrainingEvent(std::int64_t time_left_ms);
std::string SessionEndedEvent(std::string_view reason_word, std::string_view message);

// session.created with the effective session object.
std::string SessionCreatedEvent(std::string_view session_json);

}  // namespace voicebridge::gateway

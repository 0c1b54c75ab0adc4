// The events that the gateway writes; client_protocol.cc reads.
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "common/core/base64.h"
#include "common/core/ids.h"
#include "common/json/escape.h"
#include "common/json/json.h"
#include "gateway/client/client_protocol.h"

namespace voicebridge::gateway {
namespace {

void AppendMember(std::string_view name, std::string_view text, std::string& out) {
  out += ",\"";
  out += name;
  out += "\":";
  AppendJsonString(text, out);
}

void AppendMemberOrNull(std::string_view name, std::string_view text, std::string& out) {
  if (text.empty()) {
    out += ",\"";
    out += name;
    out += "\":null";
  } else {
    AppendMember(name, text, out);
  }
}

void AppendMember(std::string_view name, std::uint64_t number, std::string& out) {
  fmt::format_to(std::back_inserter(out), ",\"{}\":{}", name, number);
}

// `{"type":…,"event_id":…` of an event of our own making.
std::string BeginEvent(std::string_view type) {
  std::string out = "{\"type\":";
  AppendJsonString(type, out);
  AppendMember("event_id", NewId("event"), out);
  return out;
}

}  // namespace

std::string ErrorEvent(std::string_view type, std::string_view code, std::string_view message,
                       std::string_view param, std::string_view client_event_id) {
  std::string out = BeginEvent("error");
  out += ",\"error\":{\"type\":";
  AppendJsonString(type, out);
  AppendMemberOrNull("code", code, out);
  AppendMember("message", message, out);
  AppendMemberOrNull("param", param, out);
  AppendMemberOrNull("event_id", client_event_id, out);
  out += "}}";
  return out;
}

std::string WithAudioEnd(std::string_view truncate_json, std::int64_t audio_end_ms) {
  auto event = ParseObject(truncate_json);
  if (!event.ok()) {
    return std::string(truncate_json);  // Not from DecodeClientText; the worker will refuse it.
  }
  (*event)["audio_end_ms"] = audio_end_ms;
  return json::serialize(*event);
}

void EncodeAudioDelta(const v1::ServerAudio& audio, std::string& out) {
  constexpr std::size_t kEnvelopeBytes = 320;
  out.reserve(out.size() + kEnvelopeBytes + (audio.pcm().size() + 2) / 3 * 4);
  out += "{\"type\":\"response.output_audio.delta\"";
  if (audio.event_id().empty()) {
    AppendMember("event_id", NewId("event"), out);
  } else {
    AppendMember("event_id", audio.event_id(), out);
  }
  AppendMember("response_id", audio.response_id(), out);
  AppendMember("item_id", audio.item_id(), out);
  AppendMember("output_index", audio.output_index(), out);
  AppendMember("content_index", audio.content_index(), out);
  out += ",\"delta\":\"";
  AppendBase64(audio.pcm(), out);
  out += "\"}";
}

std::string SessionReadyEvent(std::string_view session_id, std::string_view profile,
                              std::string_view access_token) {
  std::string out = BeginEvent("voicebridge.session.ready");
  AppendMember("session_id", session_id, out);
  AppendMember("profile", profile, out);
  AppendMember("access_token", access_token, out);
  out += '}';
  return out;
}

std::string SessionDrainingEvent(std::int64_t time_left_ms) {
  std::string out = BeginEvent("voicebridge.session.draining");
  AppendMember("time_left_ms", static_cast<std::uint64_t>(std::max<std::int64_t>(time_left_ms, 0)),
               out);
  out += '}';
  return out;
}

std::string SessionEndedEvent(std::string_view reason_word, std::string_view message) {
  std::string out = BeginEvent("voicebridge.session.ended");
  AppendMember("reason", reason_word, out);
  AppendMember("message", message, out);
  out += ",\"resumable\":false}";
  return out;
}

std::string SessionCreatedEvent(std::string_view session_json) {
  std::string out = BeginEvent("session.created");
  out += ",\"session\":";
  out += session_json;
  out += '}';
  return out;
}

}  // namespace voicebridge::gateway

#include "gateway/client/client_protocol.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "common/core/audio.h"
#include "common/core/base64.h"
#include "common/core/limits.h"
#include "common/json/json.h"

namespace voicebridge::gateway {
namespace {

constexpr std::size_t kEventNameLengthMax = 512;  // Of event_id and type, in characters.
constexpr std::string_view kInvalidRequest = "invalid_request_error";
constexpr std::string_view kAppend = "input_audio_buffer.append";

enum class Kind { kString, kObject, kCount };  // kCount: an integer, not negative.
enum class Presence { kRequired, kOptional };

struct Member {
  std::string_view name;
  Kind kind;
  Presence presence;
};

struct EventRule {
  std::string_view type;
  std::span<const Member> members;
};

constexpr std::array kSessionUpdate = {Member{"session", Kind::kObject, Presence::kRequired}};
constexpr std::array kItemCreate = {Member{"item", Kind::kObject, Presence::kRequired},
                                    Member{"previous_item_id", Kind::kString, Presence::kOptional}};
constexpr std::array kItemId = {Member{"item_id", Kind::kString, Presence::kRequired}};
constexpr std::array kTruncate = {Member{"item_id", Kind::kString, Presence::kRequired},
                                  Member{"content_index", Kind::kCount, Presence::kRequired},
                                  Member{"audio_end_ms", Kind::kCount, Presence::kRequired}};
constexpr std::array kResponseCreate = {Member{"response", Kind::kObject, Presence::kOptional}};
constexpr std::array kResponseCancel = {Member{"response_id", Kind::kString, Presence::kOptional}};
constexpr std::array kAudioAppend = {Member{"audio", Kind::kString, Presence::kRequired}};

// Types that are not here are passed on unchecked: the worker or OpenAI answers them.
constexpr std::array<EventRule, 8> kRules = {{
    {kAppend, kAudioAppend},
    {"session.update", kSessionUpdate},
    {"conversation.item.create", kItemCreate},
    {"conversation.item.retrieve", kItemId},
    {"conversation.item.delete", kItemId},
    {"conversation.item.truncate", kTruncate},
    {"response.create", kResponseCreate},
    {"response.cancel", kResponseCancel},
}};

std::span<const Member> MembersOf(std::string_view type) {
  const auto* rule = std::find_if(kRules.begin(), kRules.end(),
                                  [type](const EventRule& each) { return each.type == type; });
  return rule == kRules.end() ? std::span<const Member>() : rule->members;
}

std::size_t LengthInCharacters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80;  // Not a continuation byte of UTF-8.
  }));
}

std::string_view KindName(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "boolean";
    case json::kind::int64:
    case json::kind::uint64:
      return "integer";
    case json::kind::double_:
      return "number";
    case json::kind::string:
      return "string";
    case json::kind::array:
      return "array";
    case json::kind::object:
      return "object";
  }
  return "unknown";
}

DecodeError Refuse(std::string_view code, std::string_view message, std::string_view param,
                   std::string_view event_id) {
  return DecodeError{ErrorEvent(kInvalidRequest, code, message, param, event_id)};
}

DecodeError RefuseType(std::string_view param, std::string_view expected, const json::value& got,
                       std::string_view event_id) {
  return Refuse(
      "invalid_type",
      fmt::format("Invalid type for '{}': expected {}, got {}.", param, expected, KindName(got)),
      param, event_id);
}

DecodeError RefuseLength(std::string_view param, std::size_t length, std::string_view event_id) {
  return Refuse("string_above_max_length",
                fmt::format("Invalid '{}': string too long. Expected a string with maximum length "
                            "{}, but got a string with length {} instead.",
                            param, kEventNameLengthMax, length),
                param, event_id);
}

DecodeError RefuseAudio(std::string_view event_id) {
  return Refuse(
      "invalid_value",
      "Invalid 'audio'. Expected base64-encoded audio bytes (mono PCM16 at 24kHz) but got "
      "an invalid value.",
      "audio", event_id);
}

std::optional<DecodeError> CheckCount(std::string_view name, const json::value& value,
                                      std::string_view event_id) {
  boost::system::error_code error;
  const auto number = value.to_number<std::int64_t>(error);
  if (error) {
    return RefuseType(name, "integer", value, event_id);
  }
  if (number < 0) {
    return Refuse(
        "integer_below_min_value",
        fmt::format("Invalid '{}': integer below minimum value. Expected a value >= 0, but "
                    "got {} instead.",
                    name, number),
        name, event_id);
  }
  return std::nullopt;
}

std::optional<DecodeError> CheckMember(const json::object& event, const Member& member,
                                       std::string_view event_id) {
  const json::value* value = event.if_contains(member.name);
  if (member.presence == Presence::kOptional && (value == nullptr || value->is_null())) {
    return std::nullopt;
  }
  if (value == nullptr) {
    return Refuse("missing_required_parameter",
                  fmt::format("Missing required parameter: '{}'.", member.name), member.name,
                  event_id);
  }
  switch (member.kind) {
    case Kind::kString:
      return value->is_string()
                 ? std::nullopt
                 : std::optional(RefuseType(member.name, "string", *value, event_id));
    case Kind::kObject:
      return value->is_object()
                 ? std::nullopt
                 : std::optional(RefuseType(member.name, "object", *value, event_id));
    case Kind::kCount:
      return CheckCount(member.name, *value, event_id);
  }
  return std::nullopt;
}

// `event_id` is left empty when it is no string that could be repeated to the client.
std::optional<DecodeError> CheckEnvelope(const json::object& event, std::string_view& event_id) {
  if (const json::value* id = event.if_contains("event_id"); id != nullptr && !id->is_null()) {
    if (!id->is_string()) {
      return RefuseType("event_id", "string", *id, "");
    }
    if (const std::size_t length = LengthInCharacters(View(id->get_string()));
        length > kEventNameLengthMax) {
      return RefuseLength("event_id", length, "");
    }
    event_id = View(id->get_string());
  }
  const json::value* type = event.if_contains("type");
  if (type == nullptr || type->is_null()) {
    return Refuse("invalid_event", "The 'type' field is missing.", "", event_id);
  }
  if (!type->is_string()) {
    return RefuseType("type", "string", *type, event_id);
  }
  if (const std::size_t length = LengthInCharacters(View(type->get_string()));
      length > kEventNameLengthMax) {
    return RefuseLength("type", length, event_id);
  }
  return std::nullopt;
}

Decoded DecodeAudio(std::string_view base64, std::string_view event_id) {
  if (base64.size() / 4 * 3 > limits::kAppendAudioMax + 2) {  // Before a byte of it is decoded.
    return RefuseAudio(event_id);
  }
  std::optional<std::string> pcm = DecodeBase64(base64);
  if (!pcm || pcm->size() > limits::kAppendAudioMax || pcm->size() % kBytesPerSample != 0) {
    return RefuseAudio(event_id);
  }
  return DecodedAudio{*std::move(pcm)};
}

DecodedEvent TakeEvent(const json::object& object, std::string_view type,
                       std::string_view event_id) {
  DecodedEvent event;
  event.type = type;
  event.event_id = event_id;
  event.item_id = StringOr(object, "item_id");
  event.response_id = StringOr(object, "response_id");
  if (type == "conversation.item.truncate") {
    event.audio_end_ms = FindInteger(object, "audio_end_ms").value_or(-1);
  }
  return event;
}

Decoded DecodeObject(const json::object& object) {
  std::string_view event_id;
  if (auto error = CheckEnvelope(object, event_id)) {
    return *std::move(error);
  }
  const std::string_view type = StringOr(object, "type");
  for (const Member& member : MembersOf(type)) {
    if (auto error = CheckMember(object, member, event_id)) {
      return *std::move(error);
    }
  }
  if (type == kAppend) {
    return DecodeAudio(StringOr(object, "audio"), event_id);
  }
  return TakeEvent(object, type, event_id);
}

}  // namespace

Decoded DecodeClientText(std::string_view text) {
  // Enough for the tree of an audio event of 20 ms; larger ones go on to the heap.
  std::array<unsigned char, 8192> buffer;
  json::monotonic_resource memory(buffer.data(), buffer.size());
  boost::system::error_code error;
  const json::value value = json::parse(text, error, &memory);
  if (error) {
    return Refuse("invalid_json", "Invalid event: failed to parse JSON value. ", "", "");
  }
  if (!value.is_object()) {
    return Refuse("invalid_event",
                  fmt::format("Invalid event: expected a JSON object, got {}.", KindName(value)),
                  "", "");
  }
  return DecodeObject(value.get_object());
}

DecodeError RefuseBinary() {
  return Refuse("invalid_event",
                "Expected a text WebSocket message; binary frames are not supported.", "", "");
}

}  // namespace voicebridge::gateway

#include "bridge_worker/conversation/session_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/kind.hpp>
#include <boost/json/string.hpp>
#include <cstdint>
#include <utility>

#include "common/core/audio.h"
#include "common/json/from_proto.h"

namespace voicebridge::worker {
namespace {

constexpr std::array<std::string_view, 2> kFormatPaths = {"audio.input.format",
                                                          "audio.output.format"};

json::object PcmFormat() {
  return {{"type", "audio/pcm"}, {"rate", static_cast<std::int64_t>(kSamplesPerSecond)}};
}

json::string Text(const std::string& text) { return json::string(text); }

json::value TranscriptionOf(const v1::Profile& profile) {
  if (!profile.has_transcription()) {
    return nullptr;
  }
  const v1::Transcription& transcription = profile.transcription();
  json::object object{{"model", Text(transcription.model())}};
  if (!transcription.language().empty()) {
    object["language"] = Text(transcription.language());
  }
  if (!transcription.prompt().empty()) {
    object["prompt"] = Text(transcription.prompt());
  }
  return object;
}

json::object ServerVad(const v1::TurnDetection& detection) {
  const auto or_default = [](std::uint32_t value, std::int64_t otherwise) {
    return value == 0 ? otherwise : static_cast<std::int64_t>(value);
  };
  // Spelled out: the documented default of the silence and the one that runs differ (500 and 200
  // ms).
  return {{"type", "server_vad"},
          {"threshold", detection.threshold() == 0 ? 0.5 : detection.threshold()},
          {"prefix_padding_ms", or_default(detection.prefix_padding_ms(), 300)},
          {"silence_duration_ms", or_default(detection.silence_duration_ms(), 500)},
          {"create_response", true},
          {"interrupt_response", true}};
}

json::value TurnDetectionOf(const v1::Profile& profile) {
  if (!profile.has_turn_detection()) {
    return nullptr;
  }
  const v1::TurnDetection& detection = profile.turn_detection();
  if (detection.type() != v1::TurnDetection::SEMANTIC_VAD) {
    return ServerVad(detection);
  }
  return json::object{{"type", "semantic_vad"},
                      {"eagerness", detection.eagerness().empty() ? json::string("auto")
                                                                  : Text(detection.eagerness())},
                      {"create_response", true},
                      {"interrupt_response", true}};
}

json::object ProfileSession(const v1::Profile& profile) {
  json::object input{{"format", PcmFormat()},
                     {"transcription", TranscriptionOf(profile)},
                     {"turn_detection", TurnDetectionOf(profile)}};
  json::object output{{"format", PcmFormat()}};
  if (!profile.voice().empty()) {
    output["voice"] = Text(profile.voice());
  }
  if (profile.speed() != 0 && profile.speed() != 1) {
    output["speed"] = profile.speed();
  }
  json::object audio{{"input", std::move(input)}, {"output", std::move(output)}};
  return {{"type", "realtime"},
          {"output_modalities", json::array{"audio"}},
          {"instructions", Text(profile.instructions())},
          {"audio", std::move(audio)}};
}

// A setting is one member of the session object, of audio.input or of audio.output. Below that
// OpenAI's objects make sense only as a whole: a turn_detection of one type has no fields of
// another.
std::string_view SettingOf(std::string_view path) {
  int dots = path.starts_with("audio.") ? 3 : 1;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '.' && --dots == 0) {
      return path.substr(0, i);
    }
  }
  return path;
}

void ErasePath(json::object& object, std::string_view path) {
  const std::size_t dot = path.find('.');
  const auto member = object.find(path.substr(0, dot));
  if (member == object.end()) {
    return;
  }
  if (dot == std::string_view::npos) {
    object.erase(member);
  } else if (json::object* inner = member->value().if_object()) {
    ErasePath(*inner, path.substr(dot + 1));
  }
}

// `levels` objects deep member by member, whole values below.
void Overlay(json::object& target, const json::object& source, int levels) {
  for (const auto& member : source) {
    json::value& place = target[member.key()];
    if (levels > 0 && member.value().is_object() && place.is_object()) {
      Overlay(place.get_object(), member.value().get_object(), levels - 1);
    } else {
      place = member.value();
    }
  }
}

void OverlayInitial(json::object& session, json::object initial, const v1::Profile& profile) {
  for (const std::string_view path : {"type", "model", "id", "object", "expires_at"}) {
    ErasePath(initial, path);
  }
  for (const std::string_view path : kFormatPaths) {
    ErasePath(initial, path);
  }
  for (const std::string& path : profile.locked_settings()) {
    ErasePath(initial, SettingOf(path));
  }
  json::object audio;
  if (const json::object* given = FindObject(initial, "audio")) {
    audio = *given;
  }
  initial.erase("audio");
  Overlay(session, initial, 0);
  json::object& base = session["audio"].get_object();
  for (const std::string_view direction : {"input", "output"}) {
    if (const json::object* given = FindObject(audio, direction)) {
      Overlay(base[direction].get_object(), *given, 0);
    }
  }
}

// Whether an update touches the path: the value itself, or something in place of an object around
// it.
bool Touches(const json::object& object, std::string_view path) {
  const std::size_t dot = path.find('.');
  const json::value* value = object.if_contains(path.substr(0, dot));
  if (value == nullptr || dot == std::string_view::npos) {
    return value != nullptr;
  }
  const json::object* inner = value->if_object();
  return inner == nullptr || Touches(*inner, path.substr(dot + 1));
}

std::optional<ProtocolError> CheckLocks(const json::object& object, std::string_view name,
                                        const v1::Profile& profile) {
  for (const std::string& path : profile.locked_settings()) {
    if (Touches(object, path)) {
      ProtocolError error;
      error.code = "setting_locked";
      error.param = fmt::format("{}.{}", name, path);
      error.message = fmt::format("'{}' is locked by the profile '{}' and cannot be changed.",
                                  error.param, profile.name());
      return error;
    }
  }
  return std::nullopt;
}

bool IsOurFormat(const json::value& value) {
  const json::object* format = value.if_object();
  if (format == nullptr || StringOr(*format, "type") != "audio/pcm") {
    return false;
  }
  return !format->contains("rate") ||
         FindInteger(*format, "rate") == static_cast<std::int64_t>(kSamplesPerSecond);
}

std::optional<ProtocolError> CheckFormats(const json::object& object, std::string_view name) {
  for (const std::string_view path : kFormatPaths) {
    const json::value* value = FindPath(object, path);
    if (value != nullptr && !IsOurFormat(*value)) {
      ProtocolError error;
      error.code = "invalid_value";
      error.param = fmt::format("{}.{}", name, path);
      error.message =
          fmt::format("Invalid value for '{}': expected {{\"type\":\"audio/pcm\",\"rate\":24000}}.",
                      error.param);
      return error;
    }
  }
  return std::nullopt;
}

std::optional<ProtocolError> CheckSessionType(const json::object& session) {
  ProtocolError error;
  error.param = "session.type";
  const json::value* type = session.if_contains("type");
  if (type == nullptr) {
    error.code = "missing_required_parameter";
    error.message = "Missing required parameter: 'session.type'.";
    return error;
  }
  if (StringOr(session, "type") != "realtime") {
    error.code = "invalid_value";
    error.message = "Invalid value for 'session.type': expected 'realtime'.";
    return error;
  }
  return std::nullopt;
}

std::optional<ProtocolError> CheckModel(const json::object& session, std::string_view model) {
  const json::value* value = session.if_contains("model");
  if (value == nullptr || (value->is_string() && View(value->get_string()) == model)) {
    return std::nullopt;
  }
  ProtocolError error;
  error.code = "invalid_value";
  error.param = "session.model";
  error.message = fmt::format("The model of a session cannot be changed: expected '{}'.", model);
  return error;
}

std::optional<ProtocolError> CheckIsObject(const json::object& event, std::string_view key) {
  const json::value* value = event.if_contains(key);
  if (value != nullptr && value->is_object()) {
    return std::nullopt;
  }
  ProtocolError error;
  error.param = key;
  if (value == nullptr) {
    error.code = "missing_required_parameter";
    error.message = fmt::format("Missing required parameter: '{}'.", key);
  } else {
    error.code = "invalid_type";
    const json::string_view kind = json::to_string(value->kind());
    error.message = fmt::format("Invalid type for '{}': expected an object, but got {}.", key,
                                std::string_view(kind.data(), kind.size()));
  }
  return error;
}

}  // namespace

void AddProfileTools(json::object& settings, const v1::Profile& profile) {
  const json::array* given = FindArray(settings, "tools");
  if (given == nullptr || profile.tools().empty()) {
    return;
  }
  json::array tools;
  for (const json::value& tool : *given) {
    const json::object* object = tool.if_object();
    const std::string_view name = object == nullptr ? "" : StringOr(*object, "name");
    if (std::none_of(profile.tools().begin(), profile.tools().end(),
                     [name](const v1::Tool& ours) { return ours.name() == name; })) {
      tools.push_back(tool);
    }
  }
  for (const v1::Tool& tool : profile.tools()) {
    tools.push_back(json::object{{"type", "function"},
                                 {"name", Text(tool.name())},
                                 {"description", Text(tool.description())},
                                 {"parameters", ToJson(tool.parameters())}});
  }
  settings["tools"] = std::move(tools);
}

json::object SummarySession(const v1::Profile& profile) {
  const v1::Assessment& assessment = profile.assessment();
  const json::object input{{"format", PcmFormat()}, {"turn_detection", nullptr}};
  const json::object output{{"format", PcmFormat()}, {"voice", Text(assessment.summary_voice())}};
  return {{"type", "realtime"},
          {"output_modalities", json::array{"audio"}},
          {"instructions", Text(assessment.summary_instructions())},
          {"audio", json::object{{"input", input}, {"output", output}}}};
}

json::object InitialSession(const v1::Profile& profile, std::string_view initial_session_json) {
  json::object session = ProfileSession(profile);
  auto initial = ParseObject(initial_session_json);
  if (initial.ok()) {
    OverlayInitial(session, *std::move(initial), profile);
  }
  if (!profile.tools().empty() && FindArray(session, "tools") == nullptr) {
    session["tools"] = json::array();
  }
  AddProfileTools(session, profile);
  return session;
}

std::optional<ProtocolError> CheckSessionUpdate(const json::object& event,
                                                const v1::Profile& profile,
                                                std::string_view model) {
  if (auto error = CheckIsObject(event, "session")) {
    return error;
  }
  const json::object& session = event.at("session").get_object();
  if (auto error = CheckSessionType(session)) {
    return error;
  }
  if (auto error = CheckLocks(session, "session", profile)) {
    return error;
  }
  if (auto error = CheckFormats(session, "session")) {
    return error;
  }
  return CheckModel(session, model);
}

std::optional<ProtocolError> CheckResponseCreate(const json::object& event,
                                                 const v1::Profile& profile) {
  const json::value* value = event.if_contains("response");
  if (value == nullptr || value->is_null()) {
    return std::nullopt;
  }
  if (auto error = CheckIsObject(event, "response")) {
    return error;
  }
  const json::object& response = value->get_object();
  if (auto error = CheckLocks(response, "response", profile)) {
    return error;
  }
  return CheckFormats(response, "response");
}

std::string PortableSession(const json::object& session) {
  json::object portable = session;
  for (const std::string_view key : {"id", "object", "expires_at"}) {
    portable.erase(key);
  }
  return json::serialize(portable);
}

}  // namespace voicebridge::worker

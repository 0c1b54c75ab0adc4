#include "tests/simulator/session_config.h"

#include <algorithm>
#include <array>

namespace voicebridge::simulator {
namespace {

json::object PcmFormat() { return {{"type", "audio/pcm"}, {"rate", 24000}}; }

json::object DefaultTurnDetection(std::string_view type) {
  if (type == "semantic_vad") {
    return {{"type", type},
            {"eagerness", "auto"},
            {"create_response", true},
            {"interrupt_response", true}};
  }
  return {{"type", "server_vad"},       {"threshold", 0.5},           {"prefix_padding_ms", 300},
          {"silence_duration_ms", 200}, {"idle_timeout_ms", nullptr}, {"create_response", true},
          {"interrupt_response", true}};
}

// Objects that hold independent settings; all other values are replaced as a whole.
bool MergesInto(std::string_view key) {
  static constexpr std::array<std::string_view, 6> kKeys = {
      "audio", "input", "output", "turn_detection", "transcription", "noise_reduction"};
  return std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end();
}

bool IsOfOtherType(const json::value& current, const json::object& update) {
  const json::string* type = FindString(update, "type");
  return type != nullptr &&
         (!current.is_object() || StringOr(current.get_object(), "type") != View(*type));
}

void MergeObject(json::object& target, const json::object& update);

void MergeMember(json::object& target, std::string_view key, const json::value& update) {
  json::value& current = target[key];
  if (!update.is_object() || !MergesInto(key)) {
    current = update;
    return;
  }
  const json::object& fields = update.get_object();
  if (key == "turn_detection" && IsOfOtherType(current, fields)) {
    current = DefaultTurnDetection(StringOr(fields, "type"));
  } else if (!current.is_object() || IsOfOtherType(current, fields)) {
    current = json::object();
  }
  MergeObject(current.get_object(), fields);
}

void MergeObject(json::object& target, const json::object& update) {
  for (const auto& [key, value] : update) {
    MergeMember(target, key, value);
  }
}

// Formats may come without the rate; the effective object always has it.
void CompleteFormat(json::object& session, std::string_view direction) {
  json::object& side = session["audio"].as_object()[direction].as_object();
  if (StringOr(*FindObject(side, "format"), "type") == "audio/pcm") {
    side["format"] = PcmFormat();
  }
}

std::uint64_t UnsignedOr(const json::object& object, std::string_view key,
                         std::uint64_t otherwise) {
  const auto number = FindInteger(object, key);
  return number ? static_cast<std::uint64_t>(*number) : otherwise;
}

}  // namespace

SessionConfig::SessionConfig(std::string_view session_id, std::string_view model,
                             std::int64_t expires_at)
    : session_({{"type", "realtime"},
                {"object", "realtime.session"},
                {"id", session_id},
                {"model", model},
                {"output_modalities", nullptr},
                {"instructions", ""},
                {"tools", json::array()},
                {"tool_choice", "auto"},
                {"max_output_tokens", "inf"},
                {"tracing", nullptr},
                {"truncation", "auto"},
                {"prompt", nullptr},
                {"expires_at", expires_at},
                {"include", nullptr}}) {
  session_["output_modalities"] = json::array{"audio"};
  json::object input;
  input["format"] = PcmFormat();
  input["transcription"] = nullptr;
  input["noise_reduction"] = nullptr;
  input["turn_detection"] = DefaultTurnDetection("server_vad");
  json::object output;
  output["format"] = PcmFormat();
  output["voice"] = "alloy";
  output["speed"] = 1.0;
  json::object audio;
  audio["input"] = std::move(input);
  audio["output"] = std::move(output);
  session_["audio"] = std::move(audio);
}

void SessionConfig::Merge(const json::object& update) {
  MergeObject(session_, update);
  CompleteFormat(session_, "input");
  CompleteFormat(session_, "output");
}

std::optional<TurnDetection> SessionConfig::turn_detection() const {
  const json::object* object = FindPath(session_, "audio.input.turn_detection")->if_object();
  if (object == nullptr) {
    return std::nullopt;
  }
  TurnDetection detection;
  const json::value* threshold = object->if_contains("threshold");
  if (threshold != nullptr) {
    detection.threshold = threshold->to_number<double>();
  }
  detection.prefix_padding_ms =
      UnsignedOr(*object, "prefix_padding_ms", detection.prefix_padding_ms);
  detection.silence_duration_ms =
      UnsignedOr(*object, "silence_duration_ms", detection.silence_duration_ms);
  detection.create_response = FindBool(*object, "create_response").value_or(true);
  detection.interrupt_response = FindBool(*object, "interrupt_response").value_or(true);
  return detection;
}

std::optional<std::string> SessionConfig::transcription_model() const {
  const json::object* object = FindPath(session_, "audio.input.transcription")->if_object();
  if (object == nullptr) {
    return std::nullopt;
  }
  return std::string(StringOr(*object, "model", "whisper-1"));
}

}  // namespace voicebridge::simulator

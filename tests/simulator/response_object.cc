#include "tests/simulator/response_object.h"

#include <utility>

namespace voicebridge::simulator {

std::string ResponseSettings::voice_name() const {
  return std::string(voice.is_string() ? View(voice.get_string())
                                       : StringOr(voice.as_object(), "id"));
}

json::object ResponseObject(const ResponseSettings& settings, std::string_view status,
                            json::value details, json::array output, json::value usage) {
  json::object format = {{"type", "audio/pcm"}, {"rate", 24000}};
  json::object side = {{"format", std::move(format)}, {"voice", settings.voice}};
  json::object audio;
  audio["output"] = std::move(side);
  json::array modalities;
  modalities.emplace_back(settings.audio ? "audio" : "text");
  return {{"object", "realtime.response"},
          {"id", settings.id},
          {"status", status},
          {"status_details", std::move(details)},
          {"output", std::move(output)},
          {"conversation_id", IdOrNull(settings.conversation_id)},
          {"output_modalities", std::move(modalities)},
          {"max_output_tokens", settings.max_output_tokens},
          {"audio", std::move(audio)},
          {"usage", std::move(usage)},
          {"metadata", settings.metadata}};
}

json::object AssistantMessage(std::string_view item_id, std::string_view status,
                              json::array content) {
  return {{"id", item_id},    {"object", "realtime.item"}, {"type", "message"},
          {"status", status}, {"role", "assistant"},       {"content", std::move(content)}};
}

json::object OutputPart(bool audio, std::string_view text) {
  return {{"type", audio ? "output_audio" : "output_text"}, {audio ? "transcript" : "text", text}};
}

json::object ContentPart(bool audio, std::string_view text) {
  return {{"type", audio ? "audio" : "text"}, {audio ? "transcript" : "text", text}};
}

json::value IdOrNull(std::string_view id) {
  return id.empty() ? json::value(nullptr) : json::value(id);
}

}  // namespace voicebridge::simulator

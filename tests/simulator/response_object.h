// The JSON objects that describe responses and their output.
#pragma once

#include <cstdint>
#include <string>

#include "common/json/json.h"
#include "tests/simulator/interview_script.h"

namespace voicebridge::simulator {

struct ResponseSettings {
  std::uint64_t audio_speed = 8;
  std::string id;
  std::uint64_t number = 0;     // Of its session; speech is asked for under it.
  std::string conversation_id;  // Empty: out of band.
  bool audio = true;
  json::value voice = "alloy";
  json::value max_output_tokens = "inf";
  json::value metadata = nullptr;
  std::uint64_t input_tokens = 0;
  std::size_t padding_bytes = 0;  // Of response.done.
  CallAnnouncement announcement = CallAnnouncement::kBoth;
  bool nameless_calls = false;

  bool in_conversation() const { return !conversation_id.empty(); }
  // The name of the voice, whether built in or custom.
  std::string voice_name() const;
};

json::object ResponseObject(const ResponseSettings& settings, std::string_view status,
                            json::value details, json::array output, json::value usage);

// A message of the assistant; `text` is the transcript when the part is audio.
json::object AssistantMessage(std::string_view item_id, std::string_view status,
                              json::array content);
json::object OutputPart(bool audio, std::string_view text);   // As in items.
json::object ContentPart(bool audio, std::string_view text);  // As in content_part events.

json::value IdOrNull(std::string_view id);

}  // namespace voicebridge::simulator

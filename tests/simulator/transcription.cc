#include "tests/simulator/transcription.h"

#include <cstdint>
#include <utility>

#include "common/core/status.h"

namespace voicebridge::simulator {
namespace {

std::string TypeOf(std::string_view kind) {
  return fmt::format("conversation.item.input_audio_transcription.{}", kind);
}

json::object AddressOf(const Item& item) { return {{"item_id", item.id()}, {"content_index", 0}}; }

// Billing differs by model: by token or by duration.
json::object Usage(std::string_view model, double heard_seconds) {
  if (!model.starts_with("gpt-4o")) {
    return {{"type", "duration"}, {"seconds", heard_seconds}};
  }
  const auto audio_tokens = static_cast<std::uint64_t>(heard_seconds * 10);
  json::object details = {{"text_tokens", 0}, {"audio_tokens", audio_tokens}};
  return {{"type", "tokens"},
          {"total_tokens", audio_tokens + 8},
          {"input_tokens", audio_tokens},
          {"input_token_details", std::move(details)},
          {"output_tokens", 8}};
}

}  // namespace

std::vector<LaterEvent> TranscriptionOf(const Item& item, std::string_view model) {
  std::vector<LaterEvent> events;
  // whisper-1 sends one delta; the others one for each half of the text.
  const std::size_t half = item.heard.find(' ', item.heard.size() / 2);
  const std::size_t cut = model == "whisper-1" || half == std::string::npos ? 0 : half;
  for (const std::string& text : {item.heard.substr(0, cut), item.heard.substr(cut)}) {
    if (!text.empty()) {
      json::object delta = AddressOf(item);
      delta["delta"] = text;
      events.push_back({TypeOf("delta"), std::move(delta)});
    }
  }
  json::object completed = AddressOf(item);
  completed["transcript"] = item.heard;
  completed["usage"] = Usage(model, item.heard_seconds);
  events.push_back({TypeOf("completed"), std::move(completed), std::string(item.id())});
  return events;
}

LaterEvent FailedTranscriptionOf(const Item& item) {
  json::object failed = AddressOf(item);
  failed["error"] = {{"type", "transcription_error"},
                     {"code", "audio_unintelligible"},
                     {"message", "The audio could not be transcribed."},
                     {"param", nullptr}};
  return {TypeOf("failed"), std::move(failed)};
}

}  // namespace voicebridge::simulator

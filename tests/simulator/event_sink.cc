#include "tests/simulator/event_sink.h"

#include "common/core/status.h"

namespace voicebridge::simulator {

void EventSink::Send(std::string_view type, json::object fields) {
  json::object event;
  event.reserve(fields.size() + 2);
  event["type"] = type;
  event["event_id"] = ids_.Next("event");
  for (auto& [key, value] : fields) {
    event[key] = std::move(value);
  }
  if (novelties_) {
    event["novelty"] = {{"since", "tomorrow"}, {"values", {1, nullptr, "three"}}};
  }
  Add(type, json::serialize(event));
}

void EventSink::Add(std::string_view type, std::string text) {
  static constexpr std::string_view kUnknown = "response.novelty.delta";
  record_.CountSent(type);
  effects_.emplace_back(SendEvent{std::string(type), std::move(text)});
  if (novelties_ && ++events_ % 3 == 1) {
    record_.CountSent(kUnknown);
    effects_.emplace_back(
        SendEvent{std::string(kUnknown), fmt::format(R"({{"type":"{}","event_id":"{}","delta":)"
                                                     R"({{"type":"error","item":[]}}}})",
                                                     kUnknown, ids_.Next("event"))});
  }
}

void EventSink::SendAudioDelta(const PartAddress& part, std::string_view audio) {
  static constexpr std::string_view kType = "response.output_audio.delta";
  Add(kType, fmt::format(R"({{"type":"{}","event_id":"{}","response_id":"{}","item_id":"{}",)"
                         R"("output_index":{},"content_index":0,"delta":"{}"{}}})",
                         kType, ids_.Next("event"), part.response_id, part.item_id,
                         part.output_index, audio, novelties_ ? R"(,"obfuscation":"aGk")" : ""));
}

void EventSink::Close(std::uint16_t code, std::string reason) {
  effects_.emplace_back(CloseSession{code, std::move(reason)});
}

}  // namespace voicebridge::simulator

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
  record_.CountSent(type);
  effects_.emplace_back(SendEvent{std::string(type), json::serialize(event)});
}

void EventSink::SendAudioDelta(const PartAddress& part, std::string_view audio) {
  static constexpr std::string_view kType = "response.output_audio.delta";
  record_.CountSent(kType);
  effects_.emplace_back(
      SendEvent{std::string(kType),
                fmt::format(R"({{"type":"{}","event_id":"{}","response_id":"{}","item_id":"{}",)"
                            R"("output_index":{},"content_index":0,"delta":"{}"}})",
                            kType, ids_.Next("event"), part.response_id, part.item_id,
                            part.output_index, audio)});
}

void EventSink::Close(std::uint16_t code, std::string reason) {
  effects_.emplace_back(CloseSession{code, std::move(reason)});
}

}  // namespace voicebridge::simulator

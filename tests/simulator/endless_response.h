// A response whose audio never ends: for echoing and for flooding.
#pragma once

#include <string>
#include <string_view>

#include "tests/simulator/event_sink.h"
#include "tests/simulator/response_object.h"

namespace voicebridge::simulator {

// Owned by a model. Cheap per delta.
class EndlessResponse {
 public:
  EndlessResponse(ResponseSettings settings, std::string item_id)
      : settings_(std::move(settings)), part_{settings_.id, std::move(item_id), 0} {}

  // Its events up to the first delta.
  void Begin(EventSink& sink, SessionRecord& record) const {
    OutputItemRecord& item = record.AddResponse(settings_.id)->items.emplace_back();
    item.item_id = part_.item_id;
    item.type = "message";
    const json::object message = AssistantMessage(part_.item_id, "in_progress", {});
    json::object created;
    created["response"] = ResponseObject(settings_, "in_progress", nullptr, {}, nullptr);
    sink.Send("response.created", std::move(created));
    sink.Send("response.output_item.added",
              {{"response_id", settings_.id}, {"output_index", 0}, {"item", message}});
    sink.Send("conversation.item.added", {{"previous_item_id", nullptr}, {"item", message}});
    sink.Send("response.content_part.added", {{"response_id", settings_.id},
                                              {"item_id", part_.item_id},
                                              {"output_index", 0},
                                              {"content_index", 0},
                                              {"part", ContentPart(true, "")}});
  }

  // `audio` is base64 of `bytes` bytes.
  void SendDelta(EventSink& sink, SessionRecord& record, std::string_view audio,
                 std::size_t bytes) const {
    sink.SendAudioDelta(part_, audio);
    if (OutputItemRecord* item = record.FindOutput(part_.item_id)) {
      item->audio_bytes += bytes;
    }
  }

  const std::string& id() const { return settings_.id; }

 private:
  ResponseSettings settings_;
  PartAddress part_;
};

}  // namespace voicebridge::simulator

// The outputs of a response: how each begins and ends, as items and as events.
#include <utility>

#include "tests/simulator/response_run.h"

namespace voicebridge::simulator {

PartAddress ResponseRun::AddressOf(const Output& output) const {
  return {settings_.id, output.item_id, static_cast<std::size_t>(&output - outputs_.data())};
}

json::object ResponseRun::PartFields(const Output& output) const {
  return {{"response_id", settings_.id},
          {"item_id", output.item_id},
          {"output_index", AddressOf(output).output_index},
          {"content_index", 0}};
}

json::object ResponseRun::CallFields(const Output& output) const {
  return {{"response_id", settings_.id},
          {"item_id", output.item_id},
          {"output_index", AddressOf(output).output_index},
          {"call_id", output.call_id}};
}

json::object ResponseRun::ItemOf(const Output& output, std::string_view status,
                                 bool with_content) const {
  const std::string_view text = std::string_view(output.plan.text).substr(0, output.text_sent);
  if (output.plan.kind == Kind::kCall) {
    return {{"id", output.item_id}, {"object", "realtime.item"}, {"type", "function_call"},
            {"status", status},     {"name", output.plan.name},  {"call_id", output.call_id},
            {"arguments", text}};
  }
  json::array content;
  if (with_content) {
    content.push_back(OutputPart(output.plan.kind == Kind::kSpeech, text));
  }
  return AssistantMessage(output.item_id, status, std::move(content));
}

void ResponseRun::Open(Output& output) {
  output.open = true;
  output.item_id = context_.ids.Next("item");
  if (output.plan.kind == Kind::kCall) {
    output.call_id = context_.ids.Next("call");
  }
  if (ResponseRecord* record = context_.record.FindResponse(settings_.id)) {
    OutputItemRecord& item = record->items.emplace_back();
    item.item_id = output.item_id;
    item.type = output.plan.kind == Kind::kCall ? "function_call" : "message";
    item.name = output.plan.name;
    item.call_id = output.call_id;
    item.generated_bytes = output.pcm ? output.pcm->size() : 0;
  }
  OpenItem(output);
  if (output.plan.kind != Kind::kCall) {
    json::object fields = PartFields(output);
    fields["part"] = ContentPart(output.plan.kind == Kind::kSpeech, "");
    context_.sink.Send("response.content_part.added", std::move(fields));
  }
}

void ResponseRun::OpenItem(Output& output) {
  const json::object item = ItemOf(output, "in_progress", false);
  json::object added = {{"response_id", settings_.id},
                        {"output_index", AddressOf(output).output_index},
                        {"item", item}};
  context_.sink.Send("response.output_item.added", std::move(added));
  if (!settings_.in_conversation()) {
    return;
  }
  Item entry;
  entry.fields = ItemOf(output, "in_progress", true);
  const std::string previous = *context_.items.Insert(std::move(entry), std::nullopt);
  context_.sink.Send("conversation.item.added",
                     {{"previous_item_id", IdOrNull(previous)}, {"item", item}});
}

void ResponseRun::Complete(Output& output, std::string_view status) {
  const bool call = output.plan.kind == Kind::kCall;
  const CallAnnouncement how = call ? settings_.announcement : CallAnnouncement::kBoth;
  if (how == CallAnnouncement::kBoth || how == CallAnnouncement::kArgumentsOnly) {
    CompletePart(output);
  }
  CompleteItem(output, status);
  if (how != CallAnnouncement::kArgumentsOnly) {
    SendItemDone(output);
  }
  if (how == CallAnnouncement::kItemFirst) {
    CompletePart(output);
  }
  if (OutputItemRecord* record = context_.record.FindOutput(output.item_id)) {
    record->text = output.plan.text.substr(0, output.text_sent);
  }
}

void ResponseRun::CompletePart(const Output& output) {
  const std::string text = output.plan.text.substr(0, output.text_sent);
  if (output.plan.kind == Kind::kCall) {
    json::object fields = CallFields(output);
    if (!settings_.nameless_calls) {
      fields["name"] = output.plan.name;
    }
    fields["arguments"] = text;
    context_.sink.Send("response.function_call_arguments.done", std::move(fields));
    return;
  }
  json::object done = PartFields(output);
  if (output.plan.kind == Kind::kSpeech) {
    context_.sink.Send("response.output_audio.done", PartFields(output));
    done["transcript"] = text;
    context_.sink.Send("response.output_audio_transcript.done", std::move(done));
  } else {
    done["text"] = text;
    context_.sink.Send("response.output_text.done", std::move(done));
  }
  json::object part = PartFields(output);
  part["part"] = ContentPart(output.plan.kind == Kind::kSpeech, text);
  context_.sink.Send("response.content_part.done", std::move(part));
}

void ResponseRun::CompleteItem(Output& output, std::string_view status) {
  output.item = ItemOf(output, status, true);
  if (settings_.in_conversation()) {
    if (Item* item = context_.items.Find(output.item_id)) {
      if (item->truncated) {
        item->fields["status"] = status;  // Its transcript is gone for good.
      } else {
        item->fields = output.item;
      }
    }
    context_.sink.Send("conversation.item.done",
                       {{"previous_item_id", IdOrNull(context_.items.PreviousOf(output.item_id))},
                        {"item", output.item}});
  }
}

void ResponseRun::SendItemDone(const Output& output) {
  context_.sink.Send("response.output_item.done", {{"response_id", settings_.id},
                                                   {"output_index", AddressOf(output).output_index},
                                                   {"item", output.item}});
}

}  // namespace voicebridge::simulator

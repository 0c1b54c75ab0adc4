#include "tests/unit/conversation/interview_world_upstream.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/core/base64.h"

namespace voicebridge::worker {

const WorldUpstream::Call* WorldUpstream::CallOf(std::string_view call_id) const {
  const auto found = std::find_if(calls.begin(), calls.end(),
                                  [&](const Call& call) { return call.call_id == call_id; });
  return found == calls.end() ? nullptr : &*found;
}

void WorldUpstream::Connect() { outbox.emplace_back(R"({"type":"session.created","session":{}})"); }

void WorldUpstream::Refuse(const std::string& event_id, std::string_view code) {
  outbox.push_back(fmt::format(
      R"({{"type":"error","event_id":"e","error":{{"type":"invalid_request_error","code":"{}",)"
      R"("message":"m","param":null,"event_id":"{}"}}}})",
      code, event_id));
}

void WorldUpstream::RefuseForGood(const json::object& body, std::string_view code) {
  if (refused.empty()) {
    refused = fmt::format("{}: {}", code, json::serialize(body));
  }
  Refuse(std::string(StringOr(body, "event_id")), code);
}

void WorldUpstream::TakeCommand() {
  const std::string text = std::move(inbox.front());
  inbox.pop_front();
  const json::object body = ParseObject(text).value();
  const std::string_view type = StringOr(body, "type");
  const std::string id(StringOr(body, "event_id"));
  if (type == "session.update") {
    UpdateSession(body, id);
  } else if (type == "response.create") {
    Create(body, id);
  } else if (type == "response.cancel") {
    Cancel(body, id);
  } else if (type == "conversation.item.truncate") {
    Truncate(body, id);
  } else if (type == "conversation.item.delete") {
    Delete(body, id);
  } else if (type == "conversation.item.create") {
    CreateItem(body, id);
  } else if (type == "input_audio_buffer.commit") {
    Commit(id);
  } else if (type == "input_audio_buffer.append") {
    TakeAudio(2);
  } else if (type == "input_audio_buffer.clear") {
    unheard_ = 0;
    outbox.emplace_back(R"({"type":"input_audio_buffer.cleared"})");
  } else {
    Refuse(id, "invalid_value");
  }
}

void WorldUpstream::UpdateSession(const json::object& body, const std::string& id) {
  if (FindPath(body, "session.temperature") != nullptr || (second_ && Roll(10) == 0)) {
    return Refuse(id, "unknown_parameter");
  }
  const json::value* voice = FindPath(body, "session.audio.output.voice");
  if (voice != nullptr && View(voice->as_string()) != voice_) {
    if (audio_heard_) {
      return Refuse(id, "cannot_update_voice");
    }
    voice_ = View(voice->as_string());
  }
  if (const json::value* instructions = FindPath(body, "session.instructions")) {
    instructions_ = View(instructions->as_string());
  }
  if (const json::value* detection = FindPath(body, "session.audio.input.turn_detection")) {
    turn_detection_ = json::serialize(*detection);
  }
  const json::value instructions(instructions_.c_str());
  outbox.push_back(fmt::format(
      R"({{"type":"session.updated","session":{{"type":"realtime","model":"gpt-realtime-2.1",)"
      R"("instructions":{},"audio":{{"input":{{"transcription":{{"model":"t"}},)"
      R"("turn_detection":{}}},"output":{{"voice":"{}"}}}}}}}})",
      json::serialize(instructions), turn_detection_, voice_));
}

// --- responses
// ------------------------------------------------------------------------------------

void WorldUpstream::Create(const json::object& body, const std::string& id) {
  const json::value* conversation = FindPath(body, "response.conversation");
  if (conversation != nullptr && *conversation == "none") {
    return AnswerOutOfBand(id);
  }
  if (active_) {
    return Refuse(id, "conversation_already_has_active_response");
  }
  switch (Roll(12)) {
    case 0:
      return Refuse(id, "rate_limit_exceeded");
    case 1:
      return;  // Lost: it will never be answered.
    default: {
      const json::value* choice = FindPath(body, "response.tool_choice");
      return Open(id, !second_ && (choice == nullptr || *choice != "none"));
    }
  }
}

void WorldUpstream::AnswerOutOfBand(const std::string& event_id) {
  const std::string id = "resp_" + std::to_string(++responses_);
  create_of_response[id] = event_id;
  outbox.push_back(fmt::format(
      R"({{"type":"response.created","response":{{"id":"{}","conversation_id":null}}}})", id));
  outbox.push_back(
      fmt::format(R"({{"type":"response.done","response":{{"id":"{}","conversation_id":null,)"
                  R"("status":"completed","output":[]}}}})",
                  id));
}

void WorldUpstream::Open(const std::string& event_id, bool tools) {
  active_ = Response{"resp_" + std::to_string(++responses_), tools, 0, "", {}};
  create_of_response[active_->id] = event_id;
  outbox.push_back(
      fmt::format(R"({{"type":"response.created","response":{{"id":"{}","conversation_id":"c"}}}})",
                  active_->id));
}

void WorldUpstream::Cancel(const json::object& body, const std::string& id) {
  if (StringOr(body, "response_id").empty()) {
    return RefuseForGood(body, "response_id");
  }
  if (!active_ || active_->id != StringOr(body, "response_id")) {
    return Refuse(id, "response_cancel_not_active");
  }
  Finish("cancelled");
}

void WorldUpstream::Speak() {
  if (!active_) {
    return;
  }
  if (!active_->item.empty()) {
    return Roll(4) == 0 ? EndMessage("completed") : SayMore();
  }
  if (active_->outputs >= 3 || Roll(4) == 0) {
    static constexpr std::string_view kStatuses[] = {"completed", "completed", "completed",
                                                     "failed", "incomplete"};
    return Finish(kStatuses[Roll(5)]);
  }
  ++active_->outputs;
  return active_->tools && Roll(3) == 0 ? MakeCall() : BeginMessage();
}

void WorldUpstream::BeginMessage() {
  active_->item = NextItem();
  generated_[active_->item] = 0;
  const std::string item = fmt::format(
      R"({{"id":"{}","type":"message","role":"assistant","status":"in_progress","content":[]}})",
      active_->item);
  outbox.push_back(fmt::format(
      R"({{"type":"response.output_item.added","response_id":"{}","output_index":0,"item":{}}})",
      active_->id, item));
  AddItem(active_->item, item);
}

void WorldUpstream::SayMore() {
  if (Roll(4) == 0) {
    outbox.push_back(fmt::format(
        R"({{"type":"response.output_audio_transcript.delta","response_id":"{}","item_id":"{}",)"
        R"("content_index":0,"delta":"a word "}})",
        active_->id, active_->item));
    return;
  }
  const auto bytes = static_cast<std::size_t>(Roll(2000));
  audio_heard_ = true;
  generated_[active_->item] += bytes;
  std::string delta;
  AppendBase64(std::string(bytes, 'x'), delta);
  outbox.push_back(fmt::format(
      R"({{"type":"response.output_audio.delta","event_id":"e","response_id":"{}","item_id":"{}",)"
      R"("output_index":0,"content_index":0,"delta":"{}"}})",
      active_->id, active_->item, delta));
}

void WorldUpstream::EndMessage(std::string_view status) {
  const std::string id = std::exchange(active_->item, {});
  const std::string item =
      fmt::format(R"({{"id":"{}","type":"message","role":"assistant","status":"{}",)"
                  R"("content":[{{"type":"output_audio","transcript":"one two three"}}]}})",
                  id, status);
  outbox.push_back(fmt::format(
      R"({{"type":"response.output_item.done","response_id":"{}","output_index":0,"item":{}}})",
      active_->id, item));
  outbox.push_back(fmt::format(
      R"({{"type":"conversation.item.done","previous_item_id":null,"item":{}}})", item));
  active_->done.push_back(item);
}

void WorldUpstream::Finish(std::string_view status) {
  if (!active_->item.empty()) {
    EndMessage(status == "completed" ? "completed" : "incomplete");
  }
  outbox.push_back(fmt::format(
      R"({{"type":"response.done","response":{{"id":"{}","conversation_id":"c","status":"{}",)"
      R"("output":[{}]}}}})",
      active_->id, status, fmt::join(active_->done, ",")));
  active_.reset();
}

// --- the user's speech
// ----------------------------------------------------------------------------

void WorldUpstream::Hear() {
  if (turn_detection_ == "null" || unheard_ == 0) {
    return;
  }
  unheard_ = 0;
  const std::string item = NextItem();
  if (!active_ && Roll(2) == 0) {
    outbox.push_back(fmt::format(
        R"({{"type":"input_audio_buffer.timeout_triggered","item_id":"{}","audio_end_ms":1}})",
        item));
  } else {
    outbox.push_back(
        fmt::format(R"({{"type":"input_audio_buffer.speech_started","item_id":"{}"}})", item));
    if (active_) {
      Finish("cancelled");
    }
    outbox.push_back(fmt::format(
        R"({{"type":"input_audio_buffer.speech_stopped","item_id":"{}","audio_end_ms":1}})", item));
  }
  EmitCommitted(item);
  Open("", true);
}

void WorldUpstream::Commit(const std::string& id) {
  if (turn_detection_ != "null" && Roll(3) == 0) {
    return Refuse(id, "input_audio_buffer_commit_empty");
  }
  unheard_ = 0;
  EmitCommitted(NextItem());
}

void WorldUpstream::EmitCommitted(const std::string& item) {
  outbox.push_back(fmt::format(
      R"({{"type":"input_audio_buffer.committed","item_id":"{}","previous_item_id":{}}})", item,
      Previous()));
  AddItem(item, fmt::format(R"({{"id":"{}","type":"message","role":"user",)"
                            R"("content":[{{"type":"input_audio"}}]}})",
                            item));
  if (Roll(8) != 0) {
    untranscribed_.push_back(item);  // Else it never is.
  }
}

void WorldUpstream::Transcribe() {
  if (untranscribed_.empty()) {
    return;
  }
  const bool last = Roll(4) == 0;
  const std::string item = last ? untranscribed_.back() : untranscribed_.front();
  last ? untranscribed_.pop_back() : untranscribed_.pop_front();
  if (Roll(4) == 0) {
    outbox.push_back(fmt::format(
        R"({{"type":"conversation.item.input_audio_transcription.failed","item_id":"{}",)"
        R"("content_index":0,"error":{{"code":"audio_unintelligible"}}}})",
        item));
  } else {
    outbox.push_back(fmt::format(
        R"({{"type":"conversation.item.input_audio_transcription.completed","item_id":"{}",)"
        R"("content_index":0,"transcript":"said"}})",
        item));
  }
}

void WorldUpstream::Chat() {
  static constexpr std::string_view kTexts[] = {
      R"({"type":"rate_limits.updated","rate_limits":[]})", R"({"type":"a.new.event","x":1})",
      "no json", R"({"type":7})"};
  outbox.emplace_back(kTexts[Roll(4)]);
}

void WorldUpstream::Complain() {
  outbox.emplace_back(
      R"({"type":"error","event_id":"e","error":{"type":"server_error","code":"server_error",)"
      R"("message":"m","param":null,"event_id":null}})");
}

}  // namespace voicebridge::worker

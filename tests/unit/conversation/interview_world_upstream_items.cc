// The items of the random interviews' upstream: messages, calls, and what a client does to them.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tests/unit/conversation/interview_world_upstream.h"

namespace voicebridge::worker {
namespace {

constexpr std::uint64_t kBytesPerMillisecond = 48;

std::string CallJson(const WorldUpstream::Call& call, std::string_view arguments,
                     std::string_view status) {
  return json::serialize(json::object{{"id", json::string(call.item_id)},
                                      {"type", "function_call"},
                                      {"status", json::string(status)},
                                      {"call_id", json::string(call.call_id)},
                                      {"name", json::string(call.name)},
                                      {"arguments", json::string(arguments)}});
}

std::string OutputItem(std::string_view step, const WorldUpstream::Call& call,
                       const std::string& item) {
  return fmt::format(
      R"({{"type":"response.output_item.{}","response_id":"{}","output_index":0,"item":{}}})", step,
      call.response_id, item);
}

std::string ConversationItem(std::string_view step, const std::string& previous,
                             const std::string& item) {
  return fmt::format(R"({{"type":"conversation.item.{}","previous_item_id":{},"item":{}}})", step,
                     previous, item);
}

std::string ArgumentsDone(const WorldUpstream::Call& call, const std::string& arguments,
                          bool named) {
  json::object event{{"type", "response.function_call_arguments.done"},
                     {"response_id", json::string(call.response_id)},
                     {"item_id", json::string(call.item_id)},
                     {"call_id", json::string(call.call_id)},
                     {"arguments", json::string(arguments)}};
  if (named) {
    event["name"] = json::string(call.name);
  }
  return json::serialize(event);
}

}  // namespace

void WorldUpstream::AddItem(const std::string& id, const std::string& json) {
  outbox.push_back(ConversationItem("added", Previous(), json));
  item_ids_.insert(id);
  last_item_ = id;
}

void WorldUpstream::MakeCall() {
  static constexpr std::string_view kNames[] = {"lookup",   "lookup",      "lookup",
                                                "guidance", "client_tool", "trigger_assessment"};
  const std::string number = std::to_string(calls.size() + 1);
  calls.push_back({"call_" + number, NextItem(), active_->id, std::string(kNames[Roll(6)]), true});
  call_ids_.insert(calls.back().call_id);
  if (calls.back().name == "client_tool") {
    AnnounceClientCall(calls.back());
  } else if (Roll(5) == 0) {
    calls.back().complete = false;
    InterruptCall(calls.back());
  } else {
    AnnounceCall(calls.back(), Roll(6) == 0 ? "no json" : R"({"reason":"ceiling"})");
  }
}

// Any of the events that carry it, in any order; what nothing else said is said by response.done.
void WorldUpstream::AnnounceCall(const Call& call, const std::string& arguments) {
  const std::string begun = CallJson(call, "", "in_progress");
  const std::string complete = CallJson(call, arguments, "completed");
  const std::string previous = Previous();
  std::vector<int> events{0, 1, 2, 3, 4};
  std::shuffle(events.begin(), events.end(), random_);
  events.resize(static_cast<std::size_t>(Roll(6)));
  bool said = false;
  bool named = false;
  for (const int event : events) {
    switch (event) {
      case 0:
        outbox.push_back(OutputItem("added", call, begun));
        break;
      case 1:
        outbox.push_back(ConversationItem("added", previous, begun));
        break;
      case 2:
        outbox.push_back(ArgumentsDone(call, arguments, !named || Roll(2) == 0));
        break;
      case 3:
        outbox.push_back(OutputItem("done", call, complete));
        break;
      default:
        outbox.push_back(ConversationItem("done", previous, complete));
        break;
    }
    named = true;
    said = said || event > 2;
    if (event == 1 || event == 4) {
      last_item_ = call.item_id;
    }
  }
  if (!said || Roll(2) == 0) {
    active_->done.push_back(complete);
  }
}

void WorldUpstream::AnnounceClientCall(const Call& call) {
  const std::string complete = CallJson(call, "{}", "completed");
  outbox.push_back(OutputItem("added", call, CallJson(call, "", "in_progress")));
  AddItem(call.item_id, CallJson(call, "", "in_progress"));
  outbox.push_back(ArgumentsDone(call, "{}", Roll(2) == 0));
  outbox.push_back(OutputItem("done", call, complete));
  outbox.push_back(ConversationItem("done", "null", complete));
  active_->done.push_back(complete);
}

void WorldUpstream::InterruptCall(const Call& call) {
  const std::string cut = CallJson(call, R"({"rea)", "incomplete");
  outbox.push_back(OutputItem("added", call, CallJson(call, "", "in_progress")));
  AddItem(call.item_id, CallJson(call, "", "in_progress"));
  if (Roll(2) == 0) {
    outbox.push_back(ArgumentsDone(call, R"({"rea)", Roll(2) == 0));
  }
  outbox.push_back(OutputItem("done", call, cut));
  if (Roll(2) == 0) {
    outbox.push_back(ConversationItem("done", "null", cut));
  }
  active_->done.push_back(cut);
  Finish("cancelled");
}

void WorldUpstream::CreateItem(const json::object& body, const std::string& id) {
  const json::object item = body.at("item").as_object();
  const std::string item_id(StringOr(item, "id"));
  const std::string call_id(StringOr(item, "call_id"));
  const std::string_view type = StringOr(item, "type");
  if (item_ids_.count(item_id) > 0) {
    return RefuseForGood(body, "item_create_duplicate_item_id");
  }
  if (type == "function_call_output" && call_ids_.count(call_id) == 0) {
    return RefuseForGood(body, "invalid_tool_call_id");
  }
  if (type == "message" && Roll(10) == 0) {
    return Refuse(id, "invalid_value");
  }
  if (type == "function_call") {
    call_ids_.insert(call_id);
  }
  const std::string previous = Previous();
  AddItem(item_id, json::serialize(item));
  outbox.push_back(ConversationItem("done", previous, json::serialize(item)));
}

void WorldUpstream::Truncate(const json::object& body, const std::string& id) {
  const std::string item(StringOr(body, "item_id"));
  const auto end = static_cast<std::uint64_t>(FindInteger(body, "audio_end_ms").value_or(-1));
  const auto known = generated_.find(item);
  if (known == generated_.end() || end == 0 || end > known->second / kBytesPerMillisecond) {
    return item_ids_.count(item) > 0 ? RefuseForGood(body, "invalid_value")
                                     : Refuse(id, "invalid_value");
  }
  known->second = end * kBytesPerMillisecond;
  outbox.push_back(
      fmt::format(R"({{"type":"conversation.item.truncated","item_id":"{}","content_index":0,)"
                  R"("audio_end_ms":{}}})",
                  item, end));
}

void WorldUpstream::Delete(const json::object& body, const std::string& id) {
  const std::string item(StringOr(body, "item_id"));
  if (item_ids_.erase(item) == 0) {
    return Refuse(id, "item_delete_invalid_item_id");
  }
  generated_.erase(item);
  outbox.push_back(fmt::format(R"({{"type":"conversation.item.deleted","item_id":"{}"}})", item));
}

}  // namespace voicebridge::worker

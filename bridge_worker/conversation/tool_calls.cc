#include "bridge_worker/conversation/tool_calls.h"

#include <algorithm>
#include <boost/json/string.hpp>
#include <utility>

#include "bridge_worker/conversation/push_bounded.h"

namespace voicebridge::worker {
namespace {

bool Contains(const std::deque<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

const v1::Tool* ToolCalls::Find(std::string_view name) const {
  const auto found = std::find_if(profile_.tools().begin(), profile_.tools().end(),
                                  [name](const v1::Tool& tool) { return tool.name() == name; });
  return found == profile_.tools().end() ? nullptr : &*found;
}

const v1::Tool* ToolCalls::FindBuiltin(v1::BuiltinTool builtin) const {
  const auto found = std::find_if(
      profile_.tools().begin(), profile_.tools().end(),
      [builtin](const v1::Tool& tool) { return tool.has_builtin() && tool.builtin() == builtin; });
  return found == profile_.tools().end() ? nullptr : &*found;
}

std::optional<AnnouncedCall> ToolCalls::Observe(const json::object& item,
                                                std::string_view response_id) {
  const std::string_view type = StringOr(item, "type");
  const std::string_view call_id = StringOr(item, "call_id");
  if (empty() || call_id.empty()) {
    return std::nullopt;
  }
  if (type == "function_call_output") {
    if (FindCall(call_id) != nullptr) {
      Hide(StringOr(item, "id"));
    }
    return std::nullopt;
  }
  if (type != "function_call" || Contains(client_items_, call_id)) {
    return std::nullopt;
  }
  const v1::Tool* tool = Find(StringOr(item, "name"));
  if (tool == nullptr) {
    if (!response_id.empty() && !Contains(client_calls_, call_id)) {
      PushBounded(client_calls_, std::string(call_id), kCallsMax);
      Of(response_id).has_client_calls = true;
    }
    return std::nullopt;
  }
  Hide(StringOr(item, "id"));
  Call* call = FindCall(call_id);
  if (call == nullptr) {
    call = &PushBounded(calls_,
                        Call{std::string(call_id), std::string(StringOr(item, "id")),
                             std::string(response_id), tool},
                        kCallsMax);
  }
  Bind(*call, response_id);
  return StringOr(item, "status") == "completed" ? Announce(*call, StringOr(item, "arguments"))
                                                 : std::nullopt;
}

std::optional<AnnouncedCall> ToolCalls::ArgumentsDone(const json::object& event) {
  const std::string_view arguments = StringOr(event, "arguments");
  Call* call = FindCall(StringOr(event, "call_id"));
  if (call == nullptr) {
    json::object item{{"type", "function_call"},
                      {"id", json::string(StringOr(event, "item_id"))},
                      {"call_id", json::string(StringOr(event, "call_id"))},
                      {"name", json::string(StringOr(event, "name"))}};
    if (Find(StringOr(event, "name")) == nullptr) {
      return std::nullopt;  // The client's, or its name comes with a later event.
    }
    Observe(item, StringOr(event, "response_id"));
    call = FindCall(StringOr(event, "call_id"));
  }
  if (call == nullptr) {
    return std::nullopt;
  }
  Bind(*call, StringOr(event, "response_id"));
  return ParseObject(arguments).ok() ? Announce(*call, arguments) : std::nullopt;
}

std::optional<AnnouncedCall> ToolCalls::Announce(Call& call, std::string_view arguments) {
  if (std::exchange(call.announced, true)) {
    return std::nullopt;
  }
  if (!call.response_id.empty()) {
    CountIn(call);
  }
  const bool usable = ParseObject(arguments).ok();
  return AnnouncedCall{call.call_id, call.tool, usable ? std::string(arguments) : "{}", !usable};
}

// The conversation's own events announce a call without its response.
void ToolCalls::Bind(Call& call, std::string_view response_id) {
  if (!call.response_id.empty() || response_id.empty()) {
    return;
  }
  call.response_id = response_id;
  if (call.announced) {
    CountIn(call);
  }
}

void ToolCalls::CountIn(const Call& call) {
  Response& response = Of(call.response_id);
  ++response.ours;
  response.unanswered += call.answered ? 0 : 1;
}

void ToolCalls::MadeByClient(std::string_view call_id) {
  if (FindCall(call_id) == nullptr && !Contains(client_items_, call_id)) {
    PushBounded(client_items_, std::string(call_id), kCallsMax);
  }
}

bool ToolCalls::IsHidden(std::string_view item_id) const {
  return !item_id.empty() && Contains(hidden_, item_id);
}

void ToolCalls::Hide(std::string_view item_id) {
  if (!item_id.empty() && !IsHidden(item_id)) {
    PushBounded(hidden_, std::string(item_id), 2 * kCallsMax);
  }
}

bool ToolCalls::Answer(std::string_view call_id) {
  Call* call = FindCall(call_id);
  if (call == nullptr || !call->announced || std::exchange(call->answered, true)) {
    return false;
  }
  if (!call->response_id.empty()) {
    Response& response = Of(call->response_id);
    response.unanswered -= response.unanswered > 0 ? 1 : 0;
  }
  return true;
}

void ToolCalls::EndWith(std::string_view call_id) {
  if (const Call* call = FindCall(call_id); call != nullptr && !call->response_id.empty()) {
    Of(call->response_id).ends_conversation = true;
  }
}

void ToolCalls::ResponseDone(std::string_view response_id) {
  for (Response& response : responses_) {
    if (response.id == response_id) {
      response.done = true;
    }
  }
}

bool ToolCalls::TakeFollowUp() {
  const auto settled = std::find_if(
      responses_.begin(), responses_.end(),
      [](const Response& response) { return response.done && response.unanswered == 0; });
  if (settled == responses_.end()) {
    return false;
  }
  const bool wanted =
      settled->ours > 0 && !settled->has_client_calls && !settled->ends_conversation;
  responses_.erase(settled);
  return wanted || TakeFollowUp();
}

ToolCalls::Call* ToolCalls::FindCall(std::string_view call_id) {
  const auto found = std::find_if(calls_.begin(), calls_.end(),
                                  [&](const Call& call) { return call.call_id == call_id; });
  return found == calls_.end() ? nullptr : &*found;
}

ToolCalls::Response& ToolCalls::Of(std::string_view response_id) {
  const auto found =
      std::find_if(responses_.begin(), responses_.end(),
                   [&](const Response& response) { return response.id == response_id; });
  return found != responses_.end()
             ? *found
             : PushBounded(responses_, Response{std::string(response_id)}, kResponsesMax);
}

}  // namespace voicebridge::worker

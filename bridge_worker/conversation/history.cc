#include "bridge_worker/conversation/history.h"

#include <boost/json/array.hpp>
#include <boost/json/string.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace voicebridge::worker {
namespace {

constexpr std::string_view kLost =
    R"({"error":"The outcome of this call is unknown: the connection was lost meanwhile."})";

bool IsAudio(std::string_view type) {
  return type == "input_audio" || type == "output_audio" || type == "audio";
}

// Speech as text; pictures and text as they are.
json::array TextParts(const v1::ConversationItem& item, const json::object& body,
                      std::string_view text_type) {
  json::array parts;
  const json::array* given = FindArray(body, "content");
  for (const json::value& value : given == nullptr ? json::array() : *given) {
    const json::object* part = value.if_object();
    if (part == nullptr) {
      continue;
    }
    if (!IsAudio(StringOr(*part, "type"))) {
      parts.push_back(*part);
    } else if (!item.transcript().empty()) {
      parts.push_back(json::object{{"type", json::string(text_type)},
                                   {"text", json::string(item.transcript())}});
    }
  }
  return parts;
}

std::optional<json::object> MessageOf(const v1::ConversationItem& item, const json::object& body) {
  const std::string_view role = StringOr(body, "role");
  json::array parts = TextParts(item, body, role == "assistant" ? "output_text" : "input_text");
  if (parts.empty()) {
    return std::nullopt;
  }
  return json::object{{"id", json::string(item.id())},
                      {"type", "message"},
                      {"role", json::string(role)},
                      {"content", std::move(parts)}};
}

json::object LostOutput(std::string_view call_id) {
  return {{"type", "function_call_output"},
          {"call_id", json::string(call_id)},
          {"output", json::string(kLost)}};
}

// Of all calls that have an output.
std::set<std::string> AnsweredCalls(const v1::ConversationSnapshot& snapshot) {
  std::set<std::string> calls;
  for (const v1::ConversationItem& item : snapshot.items()) {
    const auto body = ParseObject(item.item_json());
    if (body.ok() && StringOr(*body, "type") == "function_call_output") {
      calls.emplace(StringOr(*body, "call_id"));
    }
  }
  return calls;
}

json::object CallOf(const v1::ConversationItem& item, const json::object& body) {
  json::object call{{"id", json::string(item.id())}, {"type", "function_call"}};
  for (const char* key : {"call_id", "name", "arguments"}) {
    call[key] = json::string(StringOr(body, key));
  }
  return call;
}

json::object OutputOf(const v1::ConversationItem& item, const json::object& body) {
  return {{"id", json::string(item.id())},
          {"type", "function_call_output"},
          {"call_id", json::string(StringOr(body, "call_id"))},
          {"output", json::string(StringOr(body, "output"))}};
}

}  // namespace

std::vector<json::object> HistoryOf(const v1::ConversationSnapshot& snapshot) {
  const std::set<std::string> answered = AnsweredCalls(snapshot);
  std::set<std::string> called;
  std::vector<json::object> history;
  for (const v1::ConversationItem& item : snapshot.items()) {
    const auto body = ParseObject(item.item_json());
    const std::string_view type = body.ok() ? StringOr(*body, "type") : "";
    if (type == "message") {
      if (auto message = MessageOf(item, *body)) {
        history.push_back(*std::move(message));
      }
    } else if (type == "function_call" && item.done()) {
      const std::string call_id(StringOr(*body, "call_id"));
      history.push_back(CallOf(item, *body));
      called.insert(call_id);
      if (!answered.contains(call_id)) {
        history.push_back(LostOutput(call_id));
      }
    } else if (type == "function_call_output" &&
               called.contains(std::string(StringOr(*body, "call_id")))) {
      history.push_back(OutputOf(item, *body));
    }
  }
  return history;
}

}  // namespace voicebridge::worker

// The calls of the profile's tools: what the model asks the worker for, unseen by the client.
#include <boost/json/array.hpp>
#include <boost/json/string.hpp>
#include <utility>

#include "bridge_worker/conversation/conversation_core.h"

namespace voicebridge::worker {
namespace {

constexpr std::string_view kGuidanceCallId = "vb_guidance";
constexpr std::string_view kNoResponse = "vb_none";  // Never over, so nothing follows it up.
constexpr std::size_t kOpenAiIdMax = 32;

// Of an item that we make; derived from the call, so that it is one and the same however often.
std::string OutputItemId(std::string_view call_id) {
  constexpr std::string_view kPrefix = "vbo_";
  const std::size_t room = kOpenAiIdMax - kPrefix.size();
  const std::string_view tail =
      call_id.size() > room ? call_id.substr(call_id.size() - room) : call_id;
  return std::string(kPrefix) + std::string(tail);
}

json::object OutputItem(std::string_view call_id, std::string_view output) {
  return {{"id", json::string(OutputItemId(call_id))},
          {"type", "function_call_output"},
          {"call_id", json::string(call_id)},
          {"output", json::string(output)}};
}

}  // namespace

// What is mandatory is not left to the model: the conversation begins with this call.
void Conversation::Core::LoadGuidance() {
  const v1::Tool* tool = tools_.FindBuiltin(v1::INTERVIEW_GUIDANCE);
  if (tool == nullptr) {
    return;
  }
  const json::object call{{"id", "vbc_guidance"},
                          {"type", "function_call"},
                          {"status", "completed"},
                          {"call_id", json::string(kGuidanceCallId)},
                          {"name", json::string(tool->name())},
                          {"arguments", "{}"}};
  tools_.Observe(call, kNoResponse);
  tools_.Answer(kGuidanceCallId);
  tools_.Hide(OutputItemId(kGuidanceCallId));
  effects_->push_back(SendUpstream{ItemCreateEvent(NextEventId(), call)});
  effects_->push_back(SendUpstream{ItemCreateEvent(
      NextEventId(), OutputItem(kGuidanceCallId, config_.profile.assessment().guidance()))});
}

// A call or an output of the history: done with, and no business of the client's if it is ours.
void Conversation::Core::Adopt(const json::object& item) {
  json::object done = item;
  done["status"] = "completed";
  tools_.Observe(done, kNoResponse);
  const std::string_view call_id = StringOr(item, "call_id");
  if (StringOr(item, "type") == "function_call_output" && tools_.Answer(call_id)) {
    tools_.Hide(StringOr(item, "id"));
  }
  transcript_.RememberCall(call_id);
}

void Conversation::Core::ObserveCalls(const UpstreamEvent& event) {
  switch (event.type) {
    case UpstreamEventType::kArgumentsDone:
      if (auto call = tools_.ArgumentsDone(event.body)) {
        StartCall(*std::move(call));
      }
      return;
    case UpstreamEventType::kItemAdded:
    case UpstreamEventType::kItemDone:
      // They name no response; what is said now is said by the one that is being given.
      if (const json::object* item = FindObject(event.body, "item")) {
        if (auto call = tools_.Observe(*item, gate_.ActiveResponse().value_or(""))) {
          StartCall(*std::move(call));
        }
      }
      return;
    case UpstreamEventType::kOutputItemAdded:
    case UpstreamEventType::kOutputItemDone:
      if (const json::object* item = FindObject(event.body, "item")) {
        if (auto call = tools_.Observe(*item, event.response_id)) {
          StartCall(*std::move(call));
        }
      }
      return;
    case UpstreamEventType::kResponseDone: {
      const json::value* output = FindPath(event.body, "response.output");
      for (const json::value& item :
           output != nullptr && output->is_array() ? output->get_array() : json::array()) {
        auto call =
            item.is_object() ? tools_.Observe(item.get_object(), event.response_id) : std::nullopt;
        if (call) {
          StartCall(*std::move(call));
        }
      }
      return tools_.ResponseDone(event.response_id);
    }
    default:
      return;
  }
}

void Conversation::Core::StartCall(AnnouncedCall call) {
  if (call.arguments_replaced) {
    effects_->push_back(ReportTrouble{"tool.arguments_invalid", call.tool->name()});
  }
  if (call.tool->has_webhook()) {
    effects_->push_back(
        StartTool{std::move(call.call_id), call.tool, std::move(call.arguments_json)});
    return;
  }
  if (call.tool->builtin() == v1::INTERVIEW_GUIDANCE) {
    return AnswerCall(call.call_id, config_.profile.assessment().guidance());
  }
  tools_.EndWith(call.call_id);
  const auto arguments = ParseObject(call.arguments_json);
  const std::string reason(arguments.ok() ? StringOr(*arguments, "reason") : "");
  const bool first = flow_.accepts_input();
  AnswerCall(call.call_id, first ? R"({"status":"started"})" : R"({"status":"already_started"})");
  if (first) {
    Trigger(reason.empty() ? "The interviewer ended the interview." : reason);
  }
}

void Conversation::Core::Receive(const ToolFinished& finished) {
  if (phase_ == Phase::kReady) {
    AnswerCall(finished.call_id, finished.output);
  }
}

void Conversation::Core::AnswerCall(std::string_view call_id, std::string_view output) {
  if (tools_.Answer(call_id)) {
    tools_.Hide(OutputItemId(call_id));
    effects_->push_back(SendUpstream{ItemCreateEvent(NextEventId(), OutputItem(call_id, output))});
  }
}

// Once all outputs of a response are there, and never before that response is over.
void Conversation::Core::AskForFollowUps() {
  while (tools_.TakeFollowUp()) {
    if (!flow_.accepts_input()) {
      continue;
    }
    ResponseRequest request;
    request.event_id = NextEventId();
    request.purpose = ResponsePurpose::kFollowUp;
    request.json = ResponseCreateEvent(request.event_id, {});
    if (!gate_.Offer(std::move(request))) {
      effects_->push_back(ReportTrouble{"tool.follow_up_dropped", "queue_full"});
    }
  }
}

// The event as the client may see it; nullopt: not at all.
std::optional<std::string> Conversation::Core::VisibleText(const UpstreamEvent& event,
                                                           std::string_view text) const {
  if (tools_.IsHidden(event.item_id)) {
    return std::nullopt;
  }
  const std::string_view previous = StringOr(event.body, "previous_item_id");
  if (tools_.IsHidden(previous)) {
    json::object body = event.body;
    const std::string visible = VisiblePredecessor(previous);
    body["previous_item_id"] =
        visible.empty() ? json::value(nullptr) : json::value(json::string(visible));
    return json::serialize(body);
  }
  if (event.type != UpstreamEventType::kResponseDone) {
    return std::string(text);
  }
  json::object body = event.body;
  json::object* response = body.contains("response") ? body.at("response").if_object() : nullptr;
  json::array* output = response != nullptr && response->contains("output")
                            ? response->at("output").if_array()
                            : nullptr;
  if (output == nullptr) {
    return std::string(text);
  }
  json::array visible;
  for (json::value& item : *output) {
    const json::object* object = item.if_object();
    if (object == nullptr || !tools_.IsHidden(StringOr(*object, "id"))) {
      visible.push_back(std::move(item));
    }
  }
  *output = std::move(visible);
  return json::serialize(body);
}

std::string Conversation::Core::VisiblePredecessor(std::string_view item_id) const {
  const auto& items = snapshot().items();
  bool passed = false;
  for (int i = items.size() - 1; i >= 0; --i) {
    passed = passed || items.Get(i).id() == item_id;
    if (passed && !tools_.IsHidden(items.Get(i).id())) {
      return items.Get(i).id();
    }
  }
  return {};
}

}  // namespace voicebridge::worker

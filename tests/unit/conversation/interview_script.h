// A profile with an assessment and tools, and what its upstream says about calls.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "tests/unit/conversation/script.h"

namespace voicebridge::worker {

inline void AddTool(v1::Profile& profile, const std::string& name, v1::BuiltinTool builtin) {
  v1::Tool& tool = *profile.add_tools();
  tool.set_name(name);
  tool.set_description("d");
  (*tool.mutable_parameters()->mutable_fields())["type"].set_string_value("object");
  if (builtin == v1::BUILTIN_TOOL_UNSPECIFIED) {
    tool.mutable_webhook()->set_url("https://example.org/hook");
  } else {
    tool.set_builtin(builtin);
  }
}

inline v1::Profile InterviewProfile(const std::string& summary_voice = "") {
  v1::Profile profile = TestProfile();
  AddTool(profile, "trigger_assessment", v1::TRIGGER_ASSESSMENT);
  AddTool(profile, "lookup", v1::BUILTIN_TOOL_UNSPECIFIED);
  v1::Assessment& assessment = *profile.mutable_assessment();
  assessment.set_model("text");
  assessment.set_summary_instructions("Speak English.");
  assessment.set_summary_voice(summary_voice);
  assessment.set_turns_max(3);
  assessment.set_seconds_max(600);
  return profile;
}

inline constexpr std::string_view kReport =
    R"({"proficiency_level":"B1","ceiling_phase":"probe","ceiling_analysis":"It broke.",)"
    R"("domain_analyses":[{"domain":"grammar","rating":4,"observation":"o","evidence":"e"},)"
    R"({"domain":"lexical","rating":6,"observation":"p","evidence":"f"}],)"
    R"("starting_module":"m","logic_errors_to_debug":["x","y"],"optimization_strategy":"z"})";

inline std::string CallItem(std::string_view call_id, std::string_view name,
                            std::string_view arguments, std::string_view status = "completed") {
  return json::serialize(json::object{{"id", json::string("item_" + std::string(call_id))},
                                      {"type", "function_call"},
                                      {"status", json::string(status)},
                                      {"call_id", json::string(call_id)},
                                      {"name", json::string(name)},
                                      {"arguments", json::string(arguments)}});
}

// A Script for interviews.
class InterviewScript : public Script {
 public:
  explicit InterviewScript(v1::Profile profile = InterviewProfile()) : Script(std::move(profile)) {
    Start();
  }

  void OutputItemDone(std::string_view response, const std::string& item) {
    Upstream(fmt::format(
        R"({{"type":"response.output_item.done","response_id":"{}","output_index":0,"item":{}}})",
        response, item));
  }
  void OutputItemAdded(std::string_view response, const std::string& item) {
    Upstream(fmt::format(
        R"({{"type":"response.output_item.added","response_id":"{}","output_index":0,"item":{}}})",
        response, item));
  }
  void ArgumentsDone(std::string_view response, std::string_view call_id, std::string_view name,
                     std::string_view arguments) {
    json::object event{{"type", "response.function_call_arguments.done"},
                       {"response_id", json::string(response)},
                       {"item_id", json::string("item_" + std::string(call_id))},
                       {"call_id", json::string(call_id)},
                       {"arguments", json::string(arguments)}};
    if (!name.empty()) {
      event["name"] = json::string(name);
    }
    Upstream(json::serialize(event));
  }
  void DoneWith(std::string_view response, const std::string& item) {
    Upstream(fmt::format(R"({{"type":"response.done","response":{{"id":"{}","status":"completed",)"
                         R"("output":[{}]}}}})",
                         response, item));
  }

  // A user turn whose transcript comes at once, or not at all.
  void UserTurn(std::string_view item, bool transcribed = true) {
    ClientAudio(4'800);
    Client(R"({"type":"input_audio_buffer.commit"})");
    Upstream(fmt::format(
        R"({{"type":"input_audio_buffer.committed","previous_item_id":null,"item_id":"{}"}})",
        item));
    if (transcribed) {
      Transcribed(item, "안녕하세요");
    }
  }
  void Transcribed(std::string_view item, std::string_view text) {
    Upstream(fmt::format(
        R"({{"type":"conversation.item.input_audio_transcription.completed","item_id":"{}",)"
        R"("content_index":0,"transcript":"{}"}})",
        item, text));
  }

  // Through the model's call; the assessment is stored at once.
  void TriggerByTool() {
    CallTrigger();
    Stored();
  }
  void CallTrigger() {
    Client(R"({"type":"response.create"})");
    Created("r_trigger");
    OutputItemDone("r_trigger",
                   CallItem("c_trigger", "trigger_assessment", R"({"reason":"ceiling"})"));
    Done("r_trigger");
  }
  void Stored() { Handle(AssessmentUpdated{AssessmentStored{}}); }
  void Completed() { Handle(AssessmentUpdated{AssessmentCompleted{std::string(kReport)}}); }

  v1::InterviewState::Phase phase() { return conversation().snapshot().interview().phase(); }
  std::string SummarySent() const {
    std::string types;
    for (const SendSummary& sent : All<SendSummary>()) {
      types += (types.empty() ? "" : " ") + Member(sent.json, "type");
    }
    return types;
  }
  int Count(std::string_view client_type) const {
    int count = 0;
    for (const SendClientEvent& sent : All<SendClientEvent>()) {
      count += sent.event.type() == client_type ? 1 : 0;
    }
    return count;
  }
};

}  // namespace voicebridge::worker

#include "tests/simulator/reply_rules.h"

#include <absl/strings/ascii.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>

#include "common/core/status.h"
#include "tests/simulator/first_bytes.h"

namespace voicebridge::simulator {
namespace {

constexpr std::size_t kToolOutputSpoken = 200;

std::string WhatTheUserSaid(const Item& item) {
  return item.heard.empty() ? item.Text() : item.heard;
}

std::string FriendlySentence(std::uint64_t turn) {
  static constexpr std::array<std::string_view, 4> kSentences = {
      "This is answer {}.", "That was nice. Answer {}.", "Thanks, reply {}.",
      "I liked that, reply {}."};
  return fmt::format(fmt::runtime(kSentences[turn % kSentences.size()]), turn);
}

std::string ReplyByRule(const ReplyRequest& request) {
  const Item* newest = request.newest;
  if (newest == nullptr) {
    return "Hello. " + FriendlySentence(request.turn);
  }
  if (newest->type() == "function_call_output") {
    return fmt::format("The tool answered: {}",
                       FirstBytes(StringOr(newest->fields, "output"), kToolOutputSpoken));
  }
  if (newest->role() == "user" && newest->heard_seconds > 0) {
    return fmt::format("I heard you speak for {:.2f} seconds. {}", newest->heard_seconds,
                       FriendlySentence(request.turn));
  }
  if (newest->role() == "user") {
    return fmt::format("You said: {}", newest->Text());
  }
  return "I am here. " + FriendlySentence(request.turn);
}

// All that follows; what it is read with (language, voice) stands before it.
std::optional<std::string> TextToReadAloud(std::string_view instructions) {
  static constexpr std::string_view kMark =
      "Read the following text aloud, word for word, and say nothing else:";
  static constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t mark = instructions.find(kMark);
  if (mark == std::string_view::npos) {
    return std::nullopt;
  }
  const std::size_t begin = instructions.find_first_not_of(kBlank, mark + kMark.size());
  if (begin == std::string_view::npos) {
    return std::nullopt;
  }
  const std::size_t end = instructions.find_last_not_of(kBlank) + 1;
  return std::string(instructions.substr(begin, end - begin));
}

std::optional<std::string> TextToSayExactly(std::string_view instructions) {
  static constexpr std::string_view kMark = "say exactly: \"";
  const std::size_t mark = instructions.find(kMark);
  if (mark == std::string_view::npos) {
    return std::nullopt;
  }
  const std::size_t begin = mark + kMark.size();
  const std::size_t end = instructions.find('"', begin);
  if (end == std::string_view::npos || end == begin) {
    return std::nullopt;
  }
  return std::string(instructions.substr(begin, end - begin));
}

std::string Normalised(std::string_view text) {
  std::string lower = absl::AsciiStrToLower(absl::string_view(text.data(), text.size()));
  std::replace(lower.begin(), lower.end(), '_', ' ');
  return lower;
}

// Positions rather than a yes: calls are made in the order of the mentions.
std::optional<std::size_t> MentionOf(std::string_view tool, std::string_view text) {
  const std::size_t position = Normalised(text).find(Normalised(tool));
  return position == std::string::npos ? std::nullopt : std::optional(position);
}

PlannedOutput CallOf(const json::object& tool, std::string_view text) {
  const json::object* parameters = FindObject(tool, "parameters");
  const json::value arguments =
      parameters == nullptr ? json::value(json::object()) : PlausibleArguments(*parameters, text);
  return PlannedOutput{PlannedOutput::Kind::kCall, json::serialize(arguments),
                       std::string(StringOr(tool, "name"))};
}

std::vector<const json::object*> Functions(const json::array* tools) {
  std::vector<const json::object*> functions;
  if (tools == nullptr) {
    return functions;
  }
  for (const json::value& tool : *tools) {
    if (StringOr(tool.as_object(), "type") == "function") {
      functions.push_back(&tool.as_object());
    }
  }
  return functions;
}

std::vector<const json::object*> MentionedFunctions(std::vector<const json::object*> functions,
                                                    std::string_view text) {
  std::erase_if(functions, [&](const json::object* tool) {
    return !MentionOf(StringOr(*tool, "name"), text);
  });
  std::stable_sort(functions.begin(), functions.end(),
                   [&](const json::object* left, const json::object* right) {
                     return *MentionOf(StringOr(*left, "name"), text) <
                            *MentionOf(StringOr(*right, "name"), text);
                   });
  return functions;
}

std::vector<const json::object*> FunctionsToCall(const ReplyRequest& request,
                                                 std::string_view text) {
  std::vector<const json::object*> functions = Functions(request.tools);
  const json::value& choice = *request.tool_choice;
  if (choice.is_object()) {
    const std::string_view name = StringOr(choice.get_object(), "name");
    std::erase_if(functions,
                  [&](const json::object* tool) { return StringOr(*tool, "name") != name; });
    return functions;
  }
  const std::string_view word = View(choice.as_string());
  std::vector<const json::object*> mentioned = MentionedFunctions(functions, text);
  if (word == "none" || (word == "auto" && mentioned.empty())) {
    return {};
  }
  if (mentioned.empty() && !functions.empty()) {
    mentioned.push_back(functions.front());
  }
  if (!request.parallel_calls && mentioned.size() > 1) {
    mentioned.resize(1);
  }
  return mentioned;
}

// All that there are, and the only one twice.
std::vector<const json::object*> ForcedFunctions(const ReplyRequest& request) {
  std::vector<const json::object*> functions = Functions(request.tools);
  if (functions.empty()) {
    return functions;
  }
  if (request.forced_calls == ForcedCalls::kOne) {
    functions.resize(1);
  } else if (functions.size() == 1) {
    functions.push_back(functions.front());
  }
  return functions;
}

std::vector<PlannedOutput> PlanCalls(const ReplyRequest& request) {
  const bool by_user = request.newest != nullptr && request.newest->role() == "user";
  const std::string text = by_user ? WhatTheUserSaid(*request.newest) : std::string();
  std::vector<PlannedOutput> calls;
  const bool forced = request.forced_calls != ForcedCalls::kNone;
  for (const json::object* tool :
       forced ? ForcedFunctions(request) : FunctionsToCall(request, text)) {
    PlannedOutput& call = calls.emplace_back(CallOf(*tool, text));
    if (request.broken_arguments) {
      call.text.back() = ',';  // In place of the closing brace.
    }
  }
  return calls;
}

InterviewMoment MomentOf(const ReplyRequest& request, const InterviewScript& script) {
  return {*request.tools, *request.items, script, request.parallel_calls, request.audio};
}

std::vector<PlannedOutput> PlanInterviewCalls(const ReplyRequest& request,
                                              const InterviewScript& script) {
  const bool allowed = request.interviewer != nullptr && *request.tool_choice == "auto";
  return allowed ? request.interviewer->PlanCalls(MomentOf(request, script))
                 : std::vector<PlannedOutput>();
}

std::optional<std::string> InterviewerWords(const ReplyRequest& request,
                                            const InterviewScript& script) {
  return request.interviewer == nullptr ? std::nullopt
                                        : request.interviewer->Words(MomentOf(request, script));
}

// The last word of the text: "what is the weather in Paris?" -> "Paris".
std::string LastWord(std::string_view text) {
  const auto is_word = [](char letter) {
    return std::isalnum(static_cast<unsigned char>(letter)) != 0 ||
           static_cast<unsigned char>(letter) >= 0x80U;
  };
  while (!text.empty() && !is_word(text.back())) {
    text.remove_suffix(1);
  }
  std::size_t begin = text.size();
  while (begin > 0 && is_word(text[begin - 1])) {
    --begin;
  }
  return text.empty() ? "example" : std::string(text.substr(begin));
}

std::string TypeOf(const json::object& schema) {
  if (const json::array* types = FindArray(schema, "type"); types != nullptr && !types->empty()) {
    return std::string(View(types->front().as_string()));
  }
  return std::string(StringOr(schema, "type", schema.contains("properties") ? "object" : "string"));
}

json::value PlausibleObject(const json::object& schema, std::string_view text) {
  json::object object;
  const json::array* required = FindArray(schema, "required");
  const json::object* properties = FindObject(schema, "properties");
  if (required == nullptr || properties == nullptr) {
    return object;
  }
  for (const json::value& name : *required) {
    if (!name.is_string()) {
      continue;
    }
    const json::object* property = FindObject(*properties, name.get_string());
    object[name.get_string()] =
        property == nullptr ? json::value("example") : PlausibleArguments(*property, text);
  }
  return object;
}

}  // namespace

std::string TranscriptOf(double seconds) {
  return fmt::format("I spoke for {:.2f} seconds.", seconds);
}

json::value PlausibleArguments(const json::object& schema, std::string_view text) {
  if (const json::value* constant = schema.if_contains("const")) {
    return *constant;
  }
  if (const json::array* values = FindArray(schema, "enum");
      values != nullptr && !values->empty()) {
    return values->front();
  }
  const std::string type = TypeOf(schema);
  if (type == "object") {
    return PlausibleObject(schema, text);
  }
  if (type == "integer" || type == "number") {
    const json::value* minimum = schema.if_contains("minimum");
    return minimum == nullptr ? json::value(1) : *minimum;
  }
  if (type == "boolean") {
    return true;
  }
  if (type == "array") {
    return json::array();
  }
  return json::value(LastWord(text));
}

std::vector<PlannedOutput> PlanReply(const ReplyRequest& request, ReplyScript& script) {
  const PlannedOutput::Kind kind =
      request.audio ? PlannedOutput::Kind::kSpeech : PlannedOutput::Kind::kText;
  for (const auto& dictated : {TextToReadAloud, TextToSayExactly}) {
    if (auto text = dictated(request.instructions)) {
      return {PlannedOutput{kind, *std::move(text)}};
    }
  }
  std::vector<PlannedOutput> calls = PlanCalls(request);
  if (!calls.empty()) {
    return calls;
  }
  const InterviewScript interview = script.InterviewOf(request.session_id);
  calls = PlanInterviewCalls(request, interview);
  if (!calls.empty()) {
    return calls;
  }
  if (auto text = script.TakeReply(request.session_id)) {
    return {PlannedOutput{kind, *std::move(text)}};
  }
  if (auto text = InterviewerWords(request, interview)) {
    return {PlannedOutput{kind, *std::move(text)}};
  }
  return {PlannedOutput{kind, ReplyByRule(request)}};
}

}  // namespace voicebridge::simulator

#include "tests/simulator/interviewer.h"

#include <algorithm>
#include <array>

#include "common/core/status.h"
#include "tests/simulator/json_sample.h"

namespace voicebridge::simulator {
namespace {

using Phase = std::array<std::string_view, 3>;

// Warming up; the level rises; pressure on what was just said.
constexpr std::array<Phase, 3> kQuestions = {
    {{"반갑습니다! 먼저 이름이 어떻게 되세요?", "지금 어디에 사세요? 그곳은 어떤 곳이에요?",
      "쉬는 날에는 보통 무엇을 하세요?"},
     {"지난 주말에 한 일을 하나 이야기해 주시겠어요?",
      "도시와 시골 중에서 어디가 더 살기 좋을까요? 왜 그렇게 생각하세요?",
      "기술이 우리 생활을 어떻게 바꾸었다고 보세요?"},
     {"방금 하신 말씀을 다른 말로 한 번 더 설명해 주시겠어요?",
      "그 생각에 반대하는 사람에게는 어떻게 말하시겠어요?", "예를 하나만 더 들어 주시겠어요?"}}};
constexpr std::uint64_t kPhases = kQuestions.size();
constexpr std::uint64_t kTurnsWithoutEnd = 9;

constexpr std::string_view kBeforeTrigger = "네, 여기까지 하겠습니다. 잠시만 기다려 주세요.";
constexpr std::string_view kAfterTrigger = "인터뷰는 끝났습니다. 보고서를 기다려 주세요.";

const json::object* FindTool(const json::array& tools, std::string_view name) {
  const auto* found = std::find_if(tools.begin(), tools.end(), [&](const json::value& tool) {
    return StringOr(tool.get_object(), "type") == "function" &&
           StringOr(tool.get_object(), "name") == name;
  });
  return found == tools.end() ? nullptr : &found->get_object();
}

// By the model or, replayed, by the client; one that was cut off does not count.
bool HasCalled(const std::list<Item>& items, std::string_view tool) {
  return std::any_of(items.begin(), items.end(), [&](const Item& item) {
    return item.type() == "function_call" && StringOr(item.fields, "name") == tool &&
           StringOr(item.fields, "status") == "completed";
  });
}

// How many turns the user had when it is the user's turn that is answered; else 0.
std::uint64_t TurnAnswered(const std::list<Item>& items) {
  if (items.empty() || items.back().role() != "user") {
    return 0;
  }
  return static_cast<std::uint64_t>(std::count_if(
      items.begin(), items.end(), [](const Item& item) { return item.role() == "user"; }));
}

PlannedOutput Call(const json::object& tool, std::string arguments) {
  return {PlannedOutput::Kind::kCall, std::move(arguments), std::string(StringOr(tool, "name"))};
}

std::string ArgumentsFor(const json::object& tool) {
  const json::object* parameters = FindObject(tool, "parameters");
  return parameters == nullptr ? "{}"
                               : json::serialize(SampleOf(*parameters, SampleKind::kPlausible));
}

std::string TriggerArguments(const InterviewScript& script, std::uint64_t turn) {
  const std::string reason = script.reason.value_or(fmt::format(
      "학습자는 {}번 말했고, 익숙한 화제에는 답했지만 의견을 길게 이어 가지 못했습니다.", turn));
  const json::object arguments = {{"reason", reason}};
  return json::serialize(arguments);
}

std::string_view Question(std::uint64_t turn, std::uint64_t turns) {
  const std::uint64_t length = turns == 0 ? kTurnsWithoutEnd : std::max(turns, kPhases);
  const std::uint64_t phase = std::min((turn - 1) * kPhases / length, kPhases - 1);
  return kQuestions[phase][(turn - 1) % kQuestions[phase].size()];
}

std::vector<const json::object*> ToolsOf(const ScriptedCall& call, const json::array& offered) {
  std::vector<const json::object*> tools;
  for (const json::value& tool : offered) {
    const std::string_view name = StringOr(tool.get_object(), "name");
    const bool wanted =
        call.tool.empty() ? name != kTriggerTool && name != kGuidanceTool : name == call.tool;
    if (wanted && StringOr(tool.get_object(), "type") == "function") {
      tools.push_back(&tool.get_object());
    }
  }
  return tools;
}

}  // namespace

std::vector<PlannedOutput> Interviewer::PlanCalls(const InterviewMoment& moment) {
  const std::uint64_t turn = TurnAnswered(moment.items);
  if (turn == 0) {
    return {};
  }
  std::vector<PlannedOutput> calls = ScriptedCalls(moment, turn);
  if (!calls.empty()) {
    return calls;
  }
  const json::object* guidance = FindTool(moment.tools, kGuidanceTool);
  if (guidance != nullptr && !HasCalled(moment.items, kGuidanceTool)) {
    return {Call(*guidance, ArgumentsFor(*guidance))};
  }
  const json::object* trigger = FindTool(moment.tools, kTriggerTool);
  const std::uint64_t turns = TurnsOf(moment);
  const bool over = trigger != nullptr && turns != 0 && turn >= turns;
  if (!over || HasCalled(moment.items, kTriggerTool)) {
    return {};
  }
  if (moment.script.speak_before_trigger.value_or(false)) {
    calls.push_back({moment.audio ? PlannedOutput::Kind::kSpeech : PlannedOutput::Kind::kText,
                     std::string(kBeforeTrigger)});
  }
  calls.push_back(Call(*trigger, TriggerArguments(moment.script, turn)));
  return calls;
}

std::vector<PlannedOutput> Interviewer::ScriptedCalls(const InterviewMoment& moment,
                                                      std::uint64_t turn) {
  std::vector<PlannedOutput> calls;
  for (const ScriptedCall& scripted : moment.script.calls) {
    if (scripted.turn > turn) {
      continue;
    }
    for (const json::object* tool : ToolsOf(scripted, moment.tools)) {
      const bool room = moment.parallel_calls || calls.empty();
      const auto key = std::pair(std::string(StringOr(*tool, "name")), scripted.turn);
      if (room && made_.insert(key).second) {
        calls.push_back(Call(*tool, scripted.arguments.value_or(ArgumentsFor(*tool))));
      }
    }
  }
  return calls;
}

std::optional<std::string> Interviewer::Words(const InterviewMoment& moment) const {
  const std::uint64_t turn = TurnAnswered(moment.items);
  if (turn == 0 || FindTool(moment.tools, kTriggerTool) == nullptr) {
    return std::nullopt;
  }
  return std::string(HasCalled(moment.items, kTriggerTool) ? kAfterTrigger
                                                           : Question(turn, TurnsOf(moment)));
}

}  // namespace voicebridge::simulator

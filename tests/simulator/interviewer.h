// The model as an interviewer: what it asks, and which tools the flow of the interview demands.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/json/json.h"
#include "tests/simulator/conversation_items.h"
#include "tests/simulator/interview_script.h"
#include "tests/simulator/planned_output.h"

namespace voicebridge::simulator {

inline constexpr std::string_view kTriggerTool = "trigger_assessment";
inline constexpr std::string_view kGuidanceTool = "interview_guidance";

// A response of the conversation that is about to begin.
struct InterviewMoment {
  const json::array& tools;
  const std::list<Item>& items;
  const InterviewScript& script;
  bool parallel_calls = true;
  bool audio = true;
};

// Owned by one model. An interview is a session that offers the tool trigger_assessment: after a
// number of the user's turns the answer is a call of it, once per conversation; before that, a
// question of one of three phases. Any session calls tools when its script says so.
class Interviewer {
 public:
  // `turns`: where the script names none; 0: it never ends by itself.
  explicit Interviewer(std::uint64_t turns) : turns_(turns) {}

  // What answers the user's turn in place of words; empty: nothing does. Remembers what it plans.
  std::vector<PlannedOutput> PlanCalls(const InterviewMoment& moment);

  // What it says to the user's turn; nullopt: this is no interview, or no user's turn.
  std::optional<std::string> Words(const InterviewMoment& moment) const;

 private:
  std::vector<PlannedOutput> ScriptedCalls(const InterviewMoment& moment, std::uint64_t turn);
  std::uint64_t TurnsOf(const InterviewMoment& moment) const {
    return moment.script.turns.value_or(turns_);
  }

  const std::uint64_t turns_;
  std::set<std::pair<std::string, std::uint64_t>> made_;  // Scripted calls, by tool and turn.
};

}  // namespace voicebridge::simulator

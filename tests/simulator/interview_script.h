// How a simulated interviewer behaves, as far as a test wants it otherwise.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/json/json.h"

namespace voicebridge::simulator {

// Which events announce a complete call: response.function_call_arguments.done ("arguments") and
// response.output_item.done ("item"). conversation.item.done and response.done always tell of it.
enum class CallAnnouncement { kBoth, kItemFirst, kArgumentsOnly, kItemOnly };

struct ScriptedCall {
  std::string tool;  // Empty: every tool that is offered, but the interview's own.
  std::uint64_t turn = 1;
  std::optional<std::string> arguments = {};  // As they are; else by the tool's schema.

  bool operator==(const ScriptedCall&) const = default;
};

struct InterviewScript {
  std::optional<std::uint64_t> turns;  // After so many of the user it ends; 0: never.
  std::optional<bool> speak_before_trigger;
  std::optional<CallAnnouncement> announcement;
  std::optional<bool> nameless;  // No `name` in response.function_call_arguments.done.
  std::optional<std::string> reason;
  std::vector<ScriptedCall> calls;

  // `other` wins where it says something; calls are added.
  void Merge(InterviewScript other);
};

// Of {"interview_turns":N?,"speak_before_trigger":B?,"announce":WORD?,"nameless":B?,"reason":S?,
// "calls":[{"tool":S?,"turn":N,"arguments":S?}]?}; other members are not looked at.
// INVALID_ARGUMENT names the field.
absl::StatusOr<InterviewScript> ParseInterviewScript(const json::object& request);

}  // namespace voicebridge::simulator

// What the simulated model says or calls, and what it hears.
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <vector>

#include "common/json/json.h"
#include "tests/simulator/conversation_items.h"
#include "tests/simulator/interviewer.h"
#include "tests/simulator/planned_output.h"
#include "tests/simulator/reply_script.h"

namespace voicebridge::simulator {

// Tools that are called whatever was said.
enum class ForcedCalls { kNone, kOne, kAll };

struct ReplyRequest {
  std::string_view session_id;
  const Item* newest = nullptr;   // The last item of the context; null: the context is empty.
  std::string_view instructions;  // Of the response.create itself.
  const json::array* tools = nullptr;
  const json::value* tool_choice = nullptr;
  bool parallel_calls = true;
  bool audio = true;
  std::uint64_t turn = 1;
  ForcedCalls forced_calls = ForcedCalls::kNone;
  bool broken_arguments = false;
  Interviewer* interviewer = nullptr;  // With the items; null: out of band.
  const std::list<Item>* items = nullptr;
};

// "I spoke for 2.31 seconds."
std::string TranscriptOf(double seconds);

// At least one output. In order: text that the instructions ask for word by word, tools that must
// or should be called, tools that an interview demands, the script, the interviewer's words, the
// rule for the newest item.
std::vector<PlannedOutput> PlanReply(const ReplyRequest& request, ReplyScript& script);

// JSON that a model might send for this JSON schema after this text.
json::value PlausibleArguments(const json::object& schema, std::string_view text);

}  // namespace voicebridge::simulator

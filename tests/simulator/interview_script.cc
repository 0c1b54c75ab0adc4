#include "tests/simulator/interview_script.h"

#include <algorithm>
#include <array>
#include <utility>

#include "common/core/status.h"

namespace voicebridge::simulator {
namespace {

constexpr std::int64_t kTurnsMax = 1'000'000;

struct AnnouncementName {
  std::string_view name;
  CallAnnouncement announcement;
};
constexpr std::array<AnnouncementName, 4> kAnnouncements = {
    {{"both", CallAnnouncement::kBoth},
     {"item_first", CallAnnouncement::kItemFirst},
     {"arguments", CallAnnouncement::kArgumentsOnly},
     {"item", CallAnnouncement::kItemOnly}}};

absl::Status ReadTurns(const json::object& object, std::string_view key, std::int64_t least,
                       std::optional<std::uint64_t>& turns) {
  if (!object.contains(key)) {
    return absl::OkStatus();
  }
  const auto number = FindInteger(object, key);
  if (!number || *number < least || *number > kTurnsMax) {
    return InvalidArgument("{}: expected a number from {} to {}", key, least, kTurnsMax);
  }
  turns = static_cast<std::uint64_t>(*number);
  return absl::OkStatus();
}

absl::Status ReadBool(const json::object& object, std::string_view key,
                      std::optional<bool>& value) {
  value = FindBool(object, key);
  return value || !object.contains(key) ? absl::OkStatus()
                                        : InvalidArgument("{}: expected true or false", key);
}

absl::Status ReadText(const json::object& object, std::string_view key,
                      std::optional<std::string>& value) {
  const json::string* text = FindString(object, key);
  if (text != nullptr) {
    value = std::string(View(*text));
  }
  return text != nullptr || !object.contains(key) ? absl::OkStatus()
                                                  : InvalidArgument("{}: expected a string", key);
}

absl::Status ReadAnnouncement(const json::object& request,
                              std::optional<CallAnnouncement>& announcement) {
  if (!request.contains("announce")) {
    return absl::OkStatus();
  }
  const std::string_view word = StringOr(request, "announce");
  const auto* entry = std::find_if(kAnnouncements.begin(), kAnnouncements.end(),
                                   [&](const AnnouncementName& one) { return one.name == word; });
  if (entry == kAnnouncements.end()) {
    return InvalidArgument("announce: expected both, item_first, arguments or item");
  }
  announcement = entry->announcement;
  return absl::OkStatus();
}

absl::StatusOr<ScriptedCall> ReadCall(const json::value& value) {
  const json::object* object = value.if_object();
  if (object == nullptr) {
    return InvalidArgument("calls: expected an array of objects");
  }
  for (const auto& [key, member] : *object) {
    if (key != "tool" && key != "turn" && key != "arguments") {
      return InvalidArgument("calls: {}: expected tool, turn or arguments",
                             std::string_view(key.data(), key.size()));
    }
  }
  ScriptedCall call;
  std::optional<std::string> tool;
  std::optional<std::uint64_t> turn;
  for (const absl::Status& status :
       {ReadText(*object, "tool", tool), ReadText(*object, "arguments", call.arguments),
        ReadTurns(*object, "turn", 1, turn)}) {
    if (!status.ok()) {
      return InvalidArgument("calls: {}", Message(status));
    }
  }
  if (!turn) {
    return InvalidArgument("calls: turn: expected, and missing");
  }
  call.tool = tool.value_or("");
  call.turn = *turn;
  return call;
}

absl::Status ReadCalls(const json::object& request, std::vector<ScriptedCall>& calls) {
  if (!request.contains("calls")) {
    return absl::OkStatus();
  }
  const json::array* list = FindArray(request, "calls");
  if (list == nullptr) {
    return InvalidArgument("calls: expected an array of objects");
  }
  for (const json::value& value : *list) {
    absl::StatusOr<ScriptedCall> call = ReadCall(value);
    if (!call.ok()) {
      return call.status();
    }
    calls.push_back(*std::move(call));
  }
  return absl::OkStatus();
}

template <class T>
void TakeIfSet(std::optional<T>& target, std::optional<T> source) {
  if (source) {
    target = std::move(source);
  }
}

}  // namespace

void InterviewScript::Merge(InterviewScript other) {
  TakeIfSet(turns, other.turns);
  TakeIfSet(speak_before_trigger, other.speak_before_trigger);
  TakeIfSet(announcement, other.announcement);
  TakeIfSet(nameless, other.nameless);
  TakeIfSet(reason, std::move(other.reason));
  calls.insert(calls.end(), other.calls.begin(), other.calls.end());
}

absl::StatusOr<InterviewScript> ParseInterviewScript(const json::object& request) {
  InterviewScript script;
  for (const absl::Status& status :
       {ReadTurns(request, "interview_turns", 0, script.turns),
        ReadBool(request, "speak_before_trigger", script.speak_before_trigger),
        ReadAnnouncement(request, script.announcement),
        ReadBool(request, "nameless", script.nameless), ReadText(request, "reason", script.reason),
        ReadCalls(request, script.calls)}) {
    if (!status.ok()) {
      return status;
    }
  }
  return script;
}

}  // namespace voicebridge::simulator

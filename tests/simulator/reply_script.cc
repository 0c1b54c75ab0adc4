#include "tests/simulator/reply_script.h"

#include <algorithm>
#include <array>
#include <utility>

#include "common/core/status.h"

namespace voicebridge::simulator {
namespace {

constexpr std::size_t kLinesMax = 10'000;
constexpr std::int64_t kDelayMaxMs = 86'400'000;
constexpr std::array<std::string_view, 9> kMembers = {
    "session",  "transcripts", "replies", "interview_turns", "speak_before_trigger", "announce",
    "nameless", "reason",      "calls"};

absl::Status CheckMembers(const json::object& request) {
  for (const auto& [key, value] : request) {
    const std::string_view name(key.data(), key.size());
    if (std::find(kMembers.begin(), kMembers.end(), name) == kMembers.end()) {
      return InvalidArgument("{}: expected one of {}", name, fmt::join(kMembers, ", "));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadReply(const json::value& line) {
  if (!line.is_string()) {
    return InvalidArgument("replies: expected an array of strings");
  }
  return std::string(View(line.get_string()));
}

absl::StatusOr<ScriptedTranscript> ReadTranscript(const json::value& line) {
  ScriptedTranscript transcript;
  if (line.is_string()) {
    transcript.text = std::string(View(line.get_string()));
    return transcript;
  }
  const json::object* object = line.if_object();
  if (object == nullptr) {
    return InvalidArgument("transcripts: expected an array of strings or objects");
  }
  for (const auto& [key, value] : *object) {
    const bool fits = (key == "text" && value.is_string()) || (key == "fails" && value.is_bool()) ||
                      (key == "delay_ms" && value.is_int64() && value.get_int64() >= 0 &&
                       value.get_int64() <= kDelayMaxMs);
    if (!fits) {
      return InvalidArgument("transcripts: {}: expected text (string), delay_ms (0 to {}) or fails",
                             std::string_view(key.data(), key.size()), kDelayMaxMs);
    }
  }
  if (const json::string* text = FindString(*object, "text")) {
    transcript.text = std::string(View(*text));
  }
  if (const auto delay = FindInteger(*object, "delay_ms")) {
    transcript.delay = milliseconds(*delay);
  }
  transcript.fails = FindBool(*object, "fails").value_or(false);
  return transcript;
}

template <class Line>
absl::StatusOr<std::deque<Line>> ReadLines(const json::object& request, std::string_view key,
                                           absl::StatusOr<Line> (*read)(const json::value&)) {
  std::deque<Line> lines;
  const json::value* value = request.if_contains(key);
  if (value == nullptr) {
    return lines;
  }
  if (!value->is_array()) {
    return InvalidArgument("{}: expected an array", key);
  }
  for (const json::value& entry : value->get_array()) {
    absl::StatusOr<Line> line = read(entry);
    if (!line.ok()) {
      return line.status();
    }
    lines.push_back(*std::move(line));
  }
  return lines;
}

}  // namespace

absl::Status ReplyScript::Add(const json::object& request) {
  if (absl::Status status = CheckMembers(request); !status.ok()) {
    return status;
  }
  const auto transcripts = ReadLines(request, "transcripts", ReadTranscript);
  if (!transcripts.ok()) {
    return transcripts.status();
  }
  const auto replies = ReadLines(request, "replies", ReadReply);
  if (!replies.ok()) {
    return replies.status();
  }
  auto interview = ParseInterviewScript(request);
  if (!interview.ok()) {
    return interview.status();
  }
  const std::string session(StringOr(request, "session"));
  Lines& lines = session.empty() ? for_any_ : for_session_[session];
  if (lines.transcripts.size() + transcripts->size() > kLinesMax ||
      lines.replies.size() + replies->size() > kLinesMax ||
      lines.interview.calls.size() + interview->calls.size() > kLinesMax) {
    return InvalidArgument("at most {} lines wait at a time", kLinesMax);
  }
  lines.transcripts.insert(lines.transcripts.end(), transcripts->begin(), transcripts->end());
  lines.replies.insert(lines.replies.end(), replies->begin(), replies->end());
  lines.interview.Merge(*std::move(interview));
  return absl::OkStatus();
}

void ReplyScript::Clear() {
  for_any_ = Lines();
  for_session_.clear();
}

std::optional<ScriptedTranscript> ReplyScript::TakeTranscript(std::string_view session_id) {
  return Take(&Lines::transcripts, session_id);
}

std::optional<std::string> ReplyScript::TakeReply(std::string_view session_id) {
  return Take(&Lines::replies, session_id);
}

InterviewScript ReplyScript::InterviewOf(std::string_view session_id) const {
  InterviewScript script = for_any_.interview;
  const auto own = for_session_.find(session_id);
  if (own != for_session_.end()) {
    script.Merge(own->second.interview);
  }
  return script;
}

template <class Line>
std::optional<Line> ReplyScript::Take(std::deque<Line> Lines::*list, std::string_view session_id) {
  const auto own = for_session_.find(session_id);
  std::deque<Line>& lines = own != for_session_.end() && !(own->second.*list).empty()
                                ? own->second.*list
                                : for_any_.*list;
  if (lines.empty()) {
    return std::nullopt;
  }
  Line line = std::move(lines.front());
  lines.pop_front();
  return line;
}

}  // namespace voicebridge::simulator

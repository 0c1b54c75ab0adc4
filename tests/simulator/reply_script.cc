#include "tests/simulator/reply_script.h"

#include <utility>

#include "common/core/status.h"

namespace voicebridge::simulator {
namespace {

constexpr std::size_t kLinesMax = 10'000;

absl::StatusOr<std::deque<std::string>> ReadLines(const json::object& request,
                                                  std::string_view key) {
  std::deque<std::string> lines;
  const json::value* value = request.if_contains(key);
  if (value == nullptr) {
    return lines;
  }
  if (!value->is_array()) {
    return InvalidArgument("{}: expected an array of strings", key);
  }
  for (const json::value& line : value->get_array()) {
    if (!line.is_string()) {
      return InvalidArgument("{}: expected an array of strings", key);
    }
    lines.emplace_back(View(line.get_string()));
  }
  return lines;
}

}  // namespace

absl::Status ReplyScript::Add(const json::object& request) {
  for (const auto& [key, value] : request) {
    if (key != "session" && key != "transcripts" && key != "replies") {
      return InvalidArgument("{}: expected session, transcripts or replies",
                             std::string_view(key.data(), key.size()));
    }
  }
  auto transcripts = ReadLines(request, "transcripts");
  if (!transcripts.ok()) {
    return transcripts.status();
  }
  auto replies = ReadLines(request, "replies");
  if (!replies.ok()) {
    return replies.status();
  }
  const std::string session(StringOr(request, "session"));
  Lines& lines = session.empty() ? for_any_ : for_session_[session];
  if (lines.transcripts.size() + transcripts->size() > kLinesMax ||
      lines.replies.size() + replies->size() > kLinesMax) {
    return InvalidArgument("at most {} lines wait at a time", kLinesMax);
  }
  lines.transcripts.insert(lines.transcripts.end(), transcripts->begin(), transcripts->end());
  lines.replies.insert(lines.replies.end(), replies->begin(), replies->end());
  return absl::OkStatus();
}

void ReplyScript::Clear() {
  for_any_ = Lines();
  for_session_.clear();
}

std::optional<std::string> ReplyScript::TakeTranscript(std::string_view session_id) {
  return Take(&Lines::transcripts, session_id);
}

std::optional<std::string> ReplyScript::TakeReply(std::string_view session_id) {
  return Take(&Lines::replies, session_id);
}

std::optional<std::string> ReplyScript::Take(std::deque<std::string> Lines::*list,
                                             std::string_view session_id) {
  const auto own = for_session_.find(session_id);
  std::deque<std::string>& lines = own != for_session_.end() && !(own->second.*list).empty()
                                       ? own->second.*list
                                       : for_any_.*list;
  if (lines.empty()) {
    return std::nullopt;
  }
  std::string line = std::move(lines.front());
  lines.pop_front();
  return line;
}

}  // namespace voicebridge::simulator

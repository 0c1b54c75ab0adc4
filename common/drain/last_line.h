// The line that a process leaves when it is ended at once.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/core/live_sessions.h"
#include "common/core/live_tasks.h"

namespace voicebridge {

// One JSON object like every other line of the log (common/observability/log_line.h), put together
// in a buffer of its own: nothing here allocates, locks or may throw. What does not fit is left
// out, and the line stays valid JSON. It is as long as a pipe takes in one piece, so that no other
// process's line gets into it.
class LastLine {
 public:
  static constexpr std::size_t kBytesMax = 4096;  // PIPE_BUF.

  // Keys, level, process and event need no escaping. First of all.
  void Begin(std::chrono::system_clock::time_point time, std::string_view level,
             std::string_view process, std::string_view event);
  void Add(std::string_view key, std::int64_t number);
  // `tasks`, their number, and `task_kinds`, {"name":count,...}; kinds that do not fit are left
  // out.
  void AddTasks(const LiveTasks& tasks);
  // The same as `library_calls` and `library_call_kinds`: of these there are few.
  void AddLibraryCalls(const LiveTasks& calls);
  // `sessions`, their number, and `session_ids`, those of the first of them.
  void AddSessions(const LiveSessions& sessions);
  // With the line break; nothing can be added any more.
  std::string_view End();

 private:
  static constexpr std::size_t kEndBytes = 3;  // Of an inner object, of the line, the line break.

  void AddKey(std::string_view key);
  void AddKinds(std::string_view key, const LiveTasks& tasks);
  void AppendTime(std::chrono::system_clock::time_point time);
  void Append(std::string_view text);
  void AppendNumber(std::int64_t number, std::size_t digits_min = 1);
  void AppendId(std::string_view id);
  bool Fits(std::size_t bytes) const { return size_ + bytes + kEndBytes <= kBytesMax; }

  std::array<char, kBytesMax> buffer_ = {};
  std::size_t size_ = 0;
};

}  // namespace voicebridge

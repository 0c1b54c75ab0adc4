// Ends the process when its shutdown does not.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

#include "common/core/deadline.h"
#include "common/core/live_sessions.h"
#include "common/core/live_tasks.h"

namespace voicebridge {

// A thread of its own, started first of all while signals are blocked. Once armed it sleeps until
// the deadline, formats one line into a static buffer, writes it with write(2) and calls _exit(3).
// It takes no lock and allocates nothing, so that it works with a wedged shard, a full log pipe, a
// stuck store thread or a held allocator lock. Lives as long as the process; Arm may be called from
// any thread, and a second call may only bring the deadline forward.
class Watchdog {
 public:
  // The counters named in its last line; they outlive the process's threads.
  struct Gauges {
    const LiveTasks* tasks;
    const LiveSessions* sessions;
  };

  explicit Watchdog(Gauges gauges);
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  void Arm(Deadline deadline);

 private:
  void Run();
  [[noreturn]] void EndProcess() const;

  Gauges gauges_;
  int wake_fd_;
  std::atomic<std::int64_t> deadline_ns_;
};

}  // namespace voicebridge

// Takes the stop signals, and ends the process when its shutdown does not.
#pragma once

#include <atomic>
#include <cstdint>
#include <ctime>
#include <string_view>

#include "common/core/deadline.h"
#include "common/core/live_sessions.h"
#include "common/core/live_tasks.h"
#include "common/core/time.h"
#include "common/drain/last_line.h"
#include "common/process/exit_code.h"

namespace voicebridge {

// A thread of its own, started first of all in main, once StopSignals has blocked the signals. When
// it ends the process it writes one line, put together from fixed tables of atomics, and calls
// _exit. After its start it takes no lock, allocates nothing and never waits for anything but its
// deadline and signals: so it works with a wedged shard, a full log pipe, a stuck store thread or a
// held allocator lock. Lives as long as the process; all methods may be called from any thread.
//
//   a stop signal                           what happens                       exit code
//   before Serve, which ends start-up       the process is gone at once        0
//   the first after it                      Arm(now + exit_after), signal()    that of the drain
//   the second                              the process is gone at once        4
//   the deadline has come                   the process is gone at once        3
class Watchdog {
 public:
  // What its lines tell; it outlives every thread of the process.
  struct Tables {
    std::string_view process;  // As in the other lines of the log.
    const LiveTasks& tasks;
    const LiveSessions& sessions;
    const LiveTasks& library_calls;  // That may block: each has a thread to itself.
  };

  explicit Watchdog(Tables tables);
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // The process has started and may hold something: it is over `exit_after` the first signal.
  void Serve(Duration exit_after);

  // The process is over by `deadline`; a later one than that of an earlier call changes nothing.
  void Arm(Deadline deadline);
  // Takes back what Arm did, not what a signal did.
  void Disarm();

  // The first stop signal; 0: none yet. `signal_fd` is readable from then on, for ever.
  int signal() const { return signal_.load(); }
  int signal_fd() const { return signal_fd_; }

 private:
  static constexpr std::int64_t kNever = Deadline::Never().when().time_since_epoch().count();
  static constexpr std::int64_t kStarting = -1;

  void Run();
  void Look();
  void TakeSignals();
  void OnSignal(int signal);
  void Wake() const;
  [[noreturn]] void EndProcess(std::string_view level, std::string_view event, ExitCode code);

  const Tables tables_;
  const int stop_signals_fd_;
  const int wake_fd_;
  const int signal_fd_;
  // Nanoseconds, and instants in those of the steady clock.
  std::atomic<std::int64_t> exit_after_ = kStarting;
  std::atomic<std::int64_t> armed_ = kNever;
  std::atomic<std::int64_t> armed_by_signal_ = kNever;
  std::atomic<int> signal_ = 0;
  // Of the thread.
  timer_t write_timer_{};
  LastLine line_;
};

}  // namespace voicebridge

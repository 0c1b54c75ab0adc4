// The part of a drain that both processes share: sessions end, then everything under them.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "common/core/deadline.h"
#include "common/process/exit_code.h"
#include "common/process/signals.h"

namespace voicebridge {

// How a process's sessions and tasks came to their end.
struct SettleOutcome {
  bool sessions_settled = false;
  bool second_signal = false;
  bool threads_stopped = false;
  std::int64_t sessions_forced = 0;
  std::vector<std::string> unfinished_tasks;

  ExitCode exit_code() const {
    if (second_signal) {
      return ExitCode::kSecondSignal;
    }
    const bool clean = sessions_settled && threads_stopped && unfinished_tasks.empty();
    return clean ? ExitCode::kClean : ExitCode::kDrainForced;
  }
};

// Waits until `sessions` is 0. A second signal or the deadline ends the wait. For the main thread,
// which waits for signals all its life: what it waits for besides is a counter.
void WaitUntilNoSessions(const std::atomic<std::int64_t>& sessions, Deadline deadline,
                         const StopSignals& signals, SettleOutcome& outcome);

}  // namespace voicebridge

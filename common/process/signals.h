// SIGTERM and SIGINT as values, on the thread that takes them.
#pragma once

#include <csignal>
#include <optional>

#include "common/core/time.h"

namespace voicebridge {

// Blocks SIGTERM and SIGINT for the calling thread and all threads it starts later; ignores
// SIGPIPE. First thing in main, before any thread exists.
class StopSignals {
 public:
  StopSignals();

  static sigset_t Set();

  // The next stop signal, or nullopt when `timeout` passed; nullopt may come early (the process was
  // stopped and continued). For a thread that runs no handlers, and where no watchdog takes them.
  std::optional<int> WaitFor(Duration timeout) const;
};

}  // namespace voicebridge

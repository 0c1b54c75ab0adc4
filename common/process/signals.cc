#include "common/process/signals.h"

#include <pthread.h>

#include <algorithm>
#include <ctime>

namespace voicebridge {

sigset_t StopSignals::Set() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

StopSignals::StopSignals() {
  const sigset_t signals = Set();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);  // A peer that went away is an error of the write.
}

std::optional<int> StopSignals::WaitFor(Duration timeout) const {
  const Duration wait = std::max(timeout, Duration::zero());
  const auto whole = std::chrono::duration_cast<seconds>(wait);
  timespec limit{};
  limit.tv_sec = static_cast<std::time_t>(whole.count());
  limit.tv_nsec = static_cast<long>((wait - whole).count());
  static_assert(Duration::period::den == 1'000'000'000, "tv_nsec is in nanoseconds");
  const sigset_t signals = Set();
  const int signal = sigtimedwait(&signals, nullptr, &limit);
  return signal > 0 ? std::optional<int>(signal) : std::nullopt;
}

}  // namespace voicebridge

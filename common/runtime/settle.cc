#include "common/runtime/settle.h"

#include <algorithm>
#include <chrono>

namespace voicebridge {
namespace {

constexpr Duration kLook = milliseconds(2);

}  // namespace

void WaitUntilNoSessions(const std::atomic<std::int64_t>& sessions, Deadline deadline,
                         const StopSignals& signals, SettleOutcome& outcome) {
  while (sessions.load() > 0) {
    const Duration left = deadline.Remaining(std::chrono::steady_clock::now());
    outcome.second_signal =
        left > Duration::zero() && signals.WaitFor(std::min<Duration>(left, kLook)).has_value();
    if (left == Duration::zero() || outcome.second_signal) {
      outcome.sessions_forced = sessions.load();
      return;
    }
  }
  outcome.sessions_settled = true;
}

}  // namespace voicebridge

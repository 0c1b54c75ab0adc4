// A wake-up call between coroutines of one executor.
#pragma once

#include <boost/asio/steady_timer.hpp>

#include "common/async/awaitable.h"
#include "common/core/time.h"

namespace voicebridge {

// Carries no state: a waiter checks its condition, waits, and checks again. Use from one executor
// only. Waiting ends at Notify or when the waiting task is cancelled, so it needs a condition that
// some owner changes within a bound; only the primitives of common/ use it directly.
class Event {
 public:
  explicit Event(const net::any_io_executor& executor) : timer_(executor, TimePoint::max()) {}

  Awaitable<void> WaitUntilNotified() {
    const bool cancelled = co_await IsCancelled();
    if (cancelled) {
      co_return;
    }
    co_await timer_.async_wait(kNoThrow);
  }

  // Waits until `condition()` holds; false when the calling task was cancelled first. Whoever
  // changes the condition notifies.
  template <class Condition>
  Awaitable<bool> WaitUntil(Condition condition) {
    bool cancelled = co_await IsCancelled();
    while (!cancelled && !condition()) {
      co_await WaitUntilNotified();
      cancelled = co_await IsCancelled();
    }
    co_return condition();
  }

  // Wakes all who wait now.
  void Notify() { timer_.cancel(); }

 private:
  net::steady_timer timer_;  // Never fires: cancelling it is the call.
};

}  // namespace voicebridge

#include "common/async/clock.h"

#include <boost/asio/steady_timer.hpp>

namespace voicebridge {

TimePoint SystemClock::Now() const { return std::chrono::steady_clock::now(); }

Awaitable<bool> SystemClock::SleepUntil(Deadline deadline) {
  const bool cancelled = co_await IsCancelled();
  if (cancelled) {
    co_return false;
  }
  net::steady_timer timer(co_await net::this_coro::executor, deadline.when());
  const auto [error] = co_await timer.async_wait(kNoThrow);
  co_return !error;
}

}  // namespace voicebridge

#include "common/async/manual_clock.h"

namespace voicebridge {

Awaitable<bool> ManualClock::SleepUntil(Deadline deadline) {
  const bool cancelled = co_await IsCancelled();
  if (cancelled) {
    co_return false;
  }
  if (deadline.HasPassed(now_)) {
    co_return true;
  }
  const Key key{deadline.when(), arrivals_++};
  const auto timer = std::make_shared<net::steady_timer>(io_, TimePoint::max());
  sleepers_.emplace(key, timer);
  co_await timer->async_wait(kNoThrow);
  sleepers_.erase(key);
  co_return deadline.HasPassed(now_);
}

void ManualClock::RunReady() {
  io_.restart();
  while (io_.poll() > 0) {
  }
}

void ManualClock::WakeFirst() {
  const auto first = sleepers_.begin();
  const std::shared_ptr<net::steady_timer> timer = first->second;
  sleepers_.erase(first);
  timer->cancel();
}

void ManualClock::Advance(Duration step) {
  const TimePoint target = now_ + step;
  RunReady();
  while (!sleepers_.empty() && sleepers_.begin()->first.first <= target) {
    now_ = sleepers_.begin()->first.first;
    WakeFirst();
    RunReady();
  }
  now_ = target;
  RunReady();
}

}  // namespace voicebridge

// Time for tests: it stands still until it is advanced.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>

#include "common/async/clock.h"

namespace voicebridge {

// Advance runs the io_context until it is idle, moves to the next sleeper's deadline, wakes it, and
// so on: the order of events is exact and repeatable. Use from the io_context's thread only.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(net::io_context& io) : io_(io) {}

  TimePoint Now() const override { return now_; }
  Awaitable<bool> SleepUntil(Deadline deadline) override;

  void Advance(Duration step);
  // Runs what is ready, at the present instant.
  void RunReady();

 private:
  using Key = std::pair<TimePoint, std::uint64_t>;  // Equal deadlines wake in order of arrival.

  void WakeFirst();

  net::io_context& io_;
  TimePoint now_{hours(1)};
  std::uint64_t arrivals_ = 0;
  std::map<Key, std::shared_ptr<net::steady_timer>> sleepers_;
};

}  // namespace voicebridge

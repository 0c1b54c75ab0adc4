// Enforces the deadlines of one kind of operation of one object without a timer per operation.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>

#include "common/async/awaitable.h"
#include "common/core/deadline.h"

namespace voicebridge {

// Arming and disarming is an assignment; one timer stays pending and looks, when it fires, whether
// the deadline that holds now has passed. Owned by the object that it guards; destruction disarms.
// Uses the system's clock: it guards real sockets and streams only.
class DeadlineGuard {
 public:
  // `on_expiry` cuts the operation; it is called on the executor, at most once per Arm.
  DeadlineGuard(const net::any_io_executor& executor, std::function<void()> on_expiry);
  ~DeadlineGuard();
  DeadlineGuard(const DeadlineGuard&) = delete;
  DeadlineGuard& operator=(const DeadlineGuard&) = delete;

  void Arm(Deadline deadline);
  void Disarm();

 private:
  struct State;
  static void Watch(const std::shared_ptr<State>& state);

  std::shared_ptr<State>
      state_;  // Shared with the timer's handler, which may run after destruction.
};

}  // namespace voicebridge

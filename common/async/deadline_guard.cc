#include "common/async/deadline_guard.h"

#include <optional>
#include <utility>

namespace voicebridge {

struct DeadlineGuard::State {
  State(const net::any_io_executor& executor, std::function<void()> callback)
      : timer(executor), on_expiry(std::move(callback)) {}

  net::steady_timer timer;
  std::function<void()> on_expiry;
  std::optional<Deadline> armed;
  bool watching = false;
  bool destroyed = false;
};

DeadlineGuard::DeadlineGuard(const net::any_io_executor& executor, std::function<void()> on_expiry)
    : state_(std::make_shared<State>(executor, std::move(on_expiry))) {}

DeadlineGuard::~DeadlineGuard() {
  state_->destroyed = true;
  state_->timer.cancel();
}

void DeadlineGuard::Arm(Deadline deadline) {
  state_->armed = deadline;
  if (deadline.IsNever()) {
    return;
  }
  // A pending timer that fires later than the new deadline would miss it.
  if (!state_->watching || state_->timer.expiry() > deadline.when()) {
    state_->timer.expires_at(deadline.when());
    state_->watching = true;
    Watch(state_);
  }
}

void DeadlineGuard::Disarm() { state_->armed.reset(); }

void DeadlineGuard::Watch(const std::shared_ptr<State>& state) {
  state->timer.async_wait([state](const boost::system::error_code& error) {
    if (error || state->destroyed) {
      return;  // Re-armed for an earlier instant, or gone.
    }
    state->watching = false;
    if (!state->armed || state->armed->IsNever()) {
      return;
    }
    if (state->armed->HasPassed(std::chrono::steady_clock::now())) {
      state->armed.reset();
      state->on_expiry();
      return;
    }
    state->timer.expires_at(state->armed->when());
    state->watching = true;
    Watch(state);
  });
}

}  // namespace voicebridge

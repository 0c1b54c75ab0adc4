#include "common/rpc/completion.h"

namespace voicebridge {

Awaitable<bool> Operation::Wait() {
  while (pending_) {
    co_await completed_.WaitUntilNotified();
    if (pending_ && co_await IsCancelled()) {
      co_return false;
    }
  }
  co_return ok_;
}

void Operation::OnCompletion(bool ok) {
  // The owner may hold the last reference to this object.
  const std::shared_ptr<void> owner = std::move(owner_);
  pending_ = false;
  ok_ = ok;
  completed_.Notify();
}

}  // namespace voicebridge

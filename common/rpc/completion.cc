#include "common/rpc/completion.h"

namespace voicebridge {

Awaitable<bool> Operation::Wait() {
  const auto returned = [this] { return !pending_; };
  const bool came_back = co_await completed_.WaitUntil(returned);
  co_return came_back&& ok_;
}

void Operation::OnCompletion(bool ok) {
  // The owner may hold the last reference to this object.
  const std::shared_ptr<void> owner = std::move(owner_);
  pending_ = false;
  ok_ = ok;
  completed_.Notify();
}

}  // namespace voicebridge

// gRPC completion-queue operations as waits of a coroutine.
#pragma once

#include <memory>
#include <utility>

#include "common/async/event.h"

namespace voicebridge {

// What a completion queue gives back; the shard calls it on its own thread.
class CompletionTag {
 public:
  virtual void OnCompletion(bool ok) = 0;

 protected:
  ~CompletionTag() = default;
};

// One operation of a call: begun, handed to gRPC as `tag()`, and waited for. gRPC returns every
// tag, also after a cancel, and until then writes to the call's memory; so a begun operation keeps
// its owner alive. Begin, Wait and OnCompletion all happen on the shard's thread: there is nothing
// to lock.
class Operation final : public CompletionTag {
 public:
  explicit Operation(const net::any_io_executor& executor) : completed_(executor) {}

  void Begin(std::shared_ptr<void> owner) {
    pending_ = true;
    owner_ = std::move(owner);
  }
  void* tag() { return static_cast<CompletionTag*>(this); }
  bool pending() const { return pending_; }

  // gRPC's verdict on the operation; false as well when the calling task was cancelled first, and
  // then the operation is still pending.
  Awaitable<bool> Wait();

  void OnCompletion(bool ok) override;

  // The operation will never come back because it was never really begun.
  void Forget() {
    pending_ = false;
    owner_.reset();
  }

 private:
  Event completed_;
  std::shared_ptr<void> owner_;
  bool pending_ = false;
  bool ok_ = false;
};

}  // namespace voicebridge

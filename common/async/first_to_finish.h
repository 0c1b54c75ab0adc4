// Siblings: run two waits, keep the one that ends first, cancel and join the other.
#pragma once

#include <utility>

#include "common/async/awaitable.h"
#include "common/async/clock.h"
#include "common/core/deadline.h"

namespace voicebridge {

// 0 or 1: which of the two ended first. Both have ended on return. An exception of the first to end
// is rethrown. Cancelling the caller cancels both.
Awaitable<int> FirstToFinish(Awaitable<void> first, Awaitable<void> second);

// True when `work` ended before the deadline; else it was cancelled, and has ended too.
Awaitable<bool> RunUntil(Clock& clock, Deadline deadline, Awaitable<void> work);

}  // namespace voicebridge

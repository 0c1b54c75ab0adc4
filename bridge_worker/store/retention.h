// How long conversations are kept.
#pragma once

#include "bridge_worker/store/store_thread.h"
#include "common/async/awaitable.h"
#include "common/async/clock.h"
#include "common/observability/log.h"

namespace voicebridge::worker {

// Deletes what is older than `age`, now and every hour, until it is cancelled.
Awaitable<void> KeepRetention(StoreThread& store, Duration age, Clock& clock, Logger& logger);

}  // namespace voicebridge::worker

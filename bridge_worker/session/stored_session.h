// A session in the store, for an operator.
#pragma once

#include <absl/status/status.h>

#include <string>

#include "bridge_worker/store/store_thread.h"
#include "common/async/awaitable.h"
#include "common/core/deadline.h"

namespace voicebridge::worker {

// With all that belongs to it. NOT_FOUND when there is none; else as StoreThread::Do. The store
// outlives the call.
Awaitable<absl::Status> DeleteStoredSession(StoreThread& store, std::string session_id,
                                            Deadline deadline);

}  // namespace voicebridge::worker

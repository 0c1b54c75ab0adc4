// What the log says of a session's end: the same in gateway and worker.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "common/core/end_reason.h"
#include "common/core/time.h"
#include "common/observability/log.h"

namespace voicebridge {

// In this order; nothing is said of a session after LogRemoved.
void LogCleanupBegin(Logger& logger, std::string_view session, std::size_t tasks);
// `unfinished`: names of tasks that were given up.
void LogCleanupEnd(Logger& logger, std::string_view session, Duration took,
                   const std::vector<std::string_view>& unfinished);
void LogRemoved(Logger& logger, std::string_view session, EndReason reason, Duration took);

}  // namespace voicebridge

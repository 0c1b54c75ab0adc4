// How loudly the end of a session is logged.
#pragma once

#include "common/core/end_reason.h"
#include "common/observability/log.h"

namespace voicebridge {

// Error where somebody must act, a key or a bug; warning where a part of the service failed; info
// where it worked as intended, whoever ended it.
inline LogLevel LevelOf(EndReason reason) {
  switch (reason) {
    case v1::END_REASON_INTERNAL:
    case v1::END_REASON_UPSTREAM_REFUSED:
      return LogLevel::kError;
    case v1::END_REASON_UNSPECIFIED:
    case v1::END_REASON_NO_WORKER:
    case v1::END_REASON_WORKER_LOST:
    case v1::END_REASON_UPSTREAM_UNAVAILABLE:
    case v1::END_REASON_UPSTREAM_LOST:
    case v1::END_REASON_UPSTREAM_STALLED:
      return LogLevel::kWarning;
    default:
      return LogLevel::kInfo;
  }
}

}  // namespace voicebridge

// The deadline of a unary call, which gRPC itself carries to the server: as what is left.
#pragma once

#include <grpc/support/time.h>

#include "common/core/time.h"

namespace voicebridge {

// That far from now, at most a day, on the monotonic clock.
gpr_timespec CallDeadlineIn(Duration time_left);

// What is left until then: never negative, at most a day.
Duration TimeLeftUntil(const gpr_timespec& deadline);

}  // namespace voicebridge

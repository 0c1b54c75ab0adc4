#include "common/rpc/call_deadline.h"

#include <algorithm>
#include <cstdint>

#include "common/rpc/wire_time.h"

namespace voicebridge {

gpr_timespec CallDeadlineIn(Duration time_left) {
  const Duration bounded =
      std::clamp<Duration>(time_left, Duration::zero(), seconds(kWireSecondsMax));
  const auto nanos = std::chrono::duration_cast<std::chrono::nanoseconds>(bounded).count();
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(nanos, GPR_TIMESPAN));
}

Duration TimeLeftUntil(const gpr_timespec& deadline) {
  // gRPC may hand out either clock; each is compared with its own.
  const gpr_timespec left = gpr_time_sub(deadline, gpr_now(deadline.clock_type));
  if (left.tv_sec >= kWireSecondsMax) {
    return seconds(kWireSecondsMax);
  }
  const Duration exact =
      seconds(std::max<std::int64_t>(left.tv_sec, -1)) + std::chrono::nanoseconds(left.tv_nsec);
  return std::max<Duration>(exact, Duration::zero());
}

}  // namespace voicebridge

#include "common/drain/drain_plan.h"

#include "common/core/status.h"

namespace voicebridge {

absl::StatusOr<DrainPlan> DrainPlan::Make(TimePoint start, Duration total) {
  if (total < kTotalMin) {
    return InvalidArgument("drain budget: expected at least {} ms, got {} ms",
                           std::chrono::duration_cast<milliseconds>(kTotalMin).count(),
                           std::chrono::duration_cast<milliseconds>(total).count());
  }
  return DrainPlan(start, total);
}

}  // namespace voicebridge

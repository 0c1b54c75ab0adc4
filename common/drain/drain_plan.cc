#include "common/drain/drain_plan.h"

#include "common/core/status.h"

namespace voicebridge {

absl::Status DrainPlan::Check(Duration total) {
  if (total < kTotalMin) {
    return InvalidArgument("budget: expected at least {} ms, got {} ms",
                           std::chrono::duration_cast<milliseconds>(kTotalMin).count(),
                           std::chrono::duration_cast<milliseconds>(total).count());
  }
  return absl::OkStatus();
}

absl::StatusOr<DrainPlan> DrainPlan::Make(TimePoint start, Duration total) {
  if (const absl::Status enough = Check(total); !enough.ok()) {
    return enough;
  }
  return DrainPlan(start, total);
}

}  // namespace voicebridge

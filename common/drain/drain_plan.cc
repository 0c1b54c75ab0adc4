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

}  // namespace voicebridge

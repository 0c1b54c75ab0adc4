// The one place with constants about shutdown: how a drain's total time is cut up.
#pragma once

#include <absl/status/statusor.h>

#include "common/core/deadline.h"
#include "common/core/time.h"

namespace voicebridge {

// All instants are absolute, counted from T: the signal or the RPC.
class DrainPlan {
 public:
  static constexpr Duration kTotalDefault = seconds(3);
  static constexpr Duration kTotalMin = milliseconds(500);

  // INVALID_ARGUMENT below kTotalMin.
  static absl::StatusOr<DrainPlan> Make(TimePoint start, Duration total);

  Deadline end() const { return Deadline::After(start_, total_); }
  // Whatever is left is force-cleared and counted.
  Deadline force() const { return end().KeepingBack(milliseconds(400)); }
  // Logs, store and summary are out.
  Deadline flush() const { return end().KeepingBack(milliseconds(200)); }
  // The watchdog ends the process.
  Deadline watchdog() const { return end().KeepingBack(milliseconds(100)); }

 private:
  DrainPlan(TimePoint start, Duration total) : start_(start), total_(total) {}

  TimePoint start_;
  Duration total_;
};

}  // namespace voicebridge

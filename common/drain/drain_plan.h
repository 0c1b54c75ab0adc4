// The one place with constants about shutdown: how a drain's total time is cut up.
#pragma once

#include <absl/status/status.h>

#include <algorithm>

#include "common/core/deadline.h"
#include "common/core/time.h"

namespace voicebridge {

// All instants are absolute, counted from T: the signal or the RPC. A value; shortening gives
// another one.
class DrainPlan {
 public:
  static constexpr Duration kTotalDefault = seconds(3);
  static constexpr Duration kTotalMin = milliseconds(500);

  // What each kind of work gets at the most once it was told to end.
  static constexpr Duration kBackgroundMax = seconds(2);
  static constexpr Duration kReaperMax = seconds(1);
  static constexpr Duration kSessionMax = seconds(1);  // After its own tasks.

  // Of a fleet drain's time, for the way to the workers and back.
  static constexpr Duration kNetworkReserve = milliseconds(150);
  // Less would leave a worker less than kTotalMin.
  static constexpr Duration kFleetTotalMin = kTotalMin + kNetworkReserve;

  // INVALID_ARGUMENT below kTotalMin.
  static absl::Status Check(Duration total);

  // `total` has been checked.
  static DrainPlan From(TimePoint start, Duration total) { return DrainPlan(start, total); }

  // The same drain, over by `end` at the latest.
  DrainPlan ShortenedTo(Deadline end) const {
    return DrainPlan(start_, std::min(total_, end.Remaining(start_)));
  }

  TimePoint start() const { return start_; }
  Deadline end() const { return Deadline::After(start_, total_); }
  // Until then sessions may end by themselves, where the mode lets them.
  Deadline settle() const {
    return end().KeepingBack(std::min<Duration>(milliseconds(1500), total_ / 2));
  }
  // Whatever is left is force-cleared and counted.
  Deadline force() const { return end().KeepingBack(milliseconds(400)); }
  // Logs, store and summary are out.
  Deadline flush() const { return end().KeepingBack(milliseconds(200)); }
  // The watchdog ends the process.
  Deadline watchdog() const { return end().KeepingBack(kWatchdogReserve); }

  // From a stop signal to the watchdog's end of the process.
  static Duration WatchdogDelay(Duration total) { return total - kWatchdogReserve; }

 private:
  static constexpr Duration kWatchdogReserve = milliseconds(100);

  DrainPlan(TimePoint start, Duration total) : start_(start), total_(total) {}

  TimePoint start_;
  Duration total_;
};

}  // namespace voicebridge

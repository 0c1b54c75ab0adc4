// When a session that ends has to be gone.
#pragma once

#include <algorithm>
#include <optional>

#include "common/core/deadline.h"
#include "common/core/limits.h"

namespace voicebridge {

// A teardown is polite first: what is queued goes out, peers are asked to close. What is left by
// `polite` is cut off, and what is left by `end` is given up. Both only ever become earlier. Pure.
class TeardownLimits {
 public:
  // Of the time until the deadline, for what is cut off to come to its end.
  static constexpr Duration kCutOffReserve = milliseconds(50);
  // A deadline that has passed, and a force, leave this: what is cancelled ends by handlers that
  // have to be run.
  static constexpr Duration kCutOffMin = milliseconds(20);

  void Begin(TimePoint now) { begun_ = now; }
  // Also before Begin.
  void EndBy(Deadline deadline) { deadline_ = deadline_.EarlierOf(deadline); }
  void Force(TimePoint now) {
    if (!forced_) {
      forced_ = now;
    }
  }

  // After Begin.
  Deadline polite() const {
    if (forced_) {
      return Deadline::At(*forced_);
    }
    return Deadline::After(begun_, limits::kCloseMax).EarlierOf(end().KeepingBack(kCutOffReserve));
  }
  Deadline end() const {
    const Deadline own = Deadline::After(begun_, 2 * limits::kCloseMax).EarlierOf(deadline_);
    const Deadline forced = forced_ ? Deadline::After(*forced_, kCutOffMin) : Deadline::Never();
    return std::max(own.EarlierOf(forced), Deadline::After(begun_, kCutOffMin));
  }

 private:
  TimePoint begun_;
  Deadline deadline_ = Deadline::Never();
  std::optional<TimePoint> forced_;
};

}  // namespace voicebridge

// How often something may be done: so many times at once, and again as time passes.
#pragma once

#include <algorithm>
#include <cstdint>

#include "common/core/time.h"

namespace voicebridge {

// One more after each interval, up to `burst` of them. An interval of zero: no limit.
struct Rate {
  Duration interval{};
  std::int64_t burst = 0;

  // `count` in each `period`, and `burst` at once; a count of 0: no limit.
  static Rate Of(std::int64_t count, Duration period, std::int64_t burst) {
    return count > 0 ? Rate{period / count, burst} : Rate{};
  }
  bool limits() const { return interval > Duration::zero(); }
};

// Kept as the one instant at which it is full again, so that thousands of them cost little. The
// rate is the owner's, and always the same.
class TokenBucket {
 public:
  // Takes one and returns zero; or takes none, and returns how long it is until there is one.
  Duration Take(const Rate& rate, TimePoint now) {
    if (!rate.limits()) {
      return Duration::zero();
    }
    const TimePoint full_at = std::max(full_at_, now) + rate.interval;
    const Duration wait = full_at - now - rate.interval * rate.burst;
    if (wait > Duration::zero()) {
      return wait;
    }
    full_at_ = full_at;
    return Duration::zero();
  }

 private:
  TimePoint full_at_{};
};

}  // namespace voicebridge

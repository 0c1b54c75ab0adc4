// The latest instant at which a wait may end.
#pragma once

#include <algorithm>
#include <compare>

#include "common/core/time.h"

namespace voicebridge {

// A value, passed explicitly and only ever tightened. Across processes it travels as a budget, the
// duration that is left: the clocks of two hosts differ.
class Deadline {
 public:
  static constexpr Deadline Never() { return Deadline(TimePoint::max()); }
  static constexpr Deadline At(TimePoint when) { return Deadline(when); }

  // Saturates instead of overflowing.
  static constexpr Deadline After(TimePoint now, Duration budget) {
    if (budget > TimePoint::max() - now) {
      return Never();
    }
    return Deadline(now + std::max(budget, Duration::zero()));
  }

  constexpr bool HasPassed(TimePoint now) const { return now >= when_; }

  // The budget that is left; never negative.
  constexpr Duration Remaining(TimePoint now) const {
    if (when_ == TimePoint::max()) {
      return Duration::max();
    }
    return std::max(when_ - now, Duration::zero());
  }

  constexpr Deadline EarlierOf(Deadline other) const {
    return Deadline(std::min(when_, other.when_));
  }

  // Leaves `reserve` for what has to happen after the wait.
  constexpr Deadline KeepingBack(Duration reserve) const {
    return when_ == TimePoint::max() ? *this : Deadline(when_ - reserve);
  }

  constexpr bool IsNever() const { return when_ == TimePoint::max(); }
  constexpr TimePoint when() const { return when_; }

  friend constexpr auto operator<=>(Deadline, Deadline) = default;

 private:
  explicit constexpr Deadline(TimePoint when) : when_(when) {}

  TimePoint when_;
};

}  // namespace voicebridge

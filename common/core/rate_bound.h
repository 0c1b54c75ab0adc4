// At most so many in a period of time. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "common/core/time.h"

namespace voicebridge {

// For lines of a log that a stranger can provoke. For one thread.
class RateBound {
 public:
  RateBound(std::int64_t most, Duration period) : most_(most), period_(period) {}

  // nullopt: this one is kept back. Else it may pass, and so many were kept back before it.
  std::optional<std::int64_t> Pass(TimePoint now) {
    if (!began_ || now - *began_ >= period_) {
      began_ = now;
      passed_ = 0;
    }
    if (passed_ == most_) {
      ++kept_back_;
      return std::nullopt;
    }
    ++passed_;
    return std::exchange(kept_back_, 0);
  }

 private:
  const std::int64_t most_;
  const Duration period_;
  std::optional<TimePoint> began_;
  std::int64_t passed_ = 0;
  std::int64_t kept_back_ = 0;
};

}  // namespace voicebridge

// How many lines of one kind may be logged, when somebody else decides how many there are.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "common/core/token_bucket.h"

namespace voicebridge {

// Pure: the time is an argument.
class LogBudget {
 public:
  // `burst` lines at once, then one in each `interval`.
  explicit LogBudget(Rate rate) : rate_(rate) {}

  // How many were left out before this line, which may be written; nullopt: it is left out.
  std::optional<std::int64_t> Admit(TimePoint now) {
    if (lines_.Take(rate_, now) > Duration::zero()) {
      ++left_out_;
      return std::nullopt;
    }
    return std::exchange(left_out_, 0);
  }

 private:
  const Rate rate_;
  TokenBucket lines_;
  std::int64_t left_out_ = 0;
};

}  // namespace voicebridge

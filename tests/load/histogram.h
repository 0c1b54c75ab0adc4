// Percentiles of durations in fixed memory. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "common/core/time.h"

namespace voicebridge::load {

// Buckets of nanoseconds whose width grows with the value: exact below 256 ns, then 128 per
// doubling, so that a percentile is at most 0.8 % above the true value and never below it. Values
// above 18 minutes count as that.
class Histogram {
 public:
  void Add(Duration value);
  void Merge(const Histogram& other);

  std::uint64_t count() const { return count_; }
  Duration max() const { return Duration(max_); }
  Duration Mean() const;
  // The smallest value that at least this share (0 to 1) of all values does not exceed; zero of
  // none.
  Duration Percentile(double share) const;

 private:
  static constexpr unsigned kSubBits = 7;
  static constexpr std::size_t kSubBuckets = 1U << kSubBits;
  static constexpr std::int64_t kValueMax = (std::int64_t{1} << 40) - 1;
  static constexpr std::size_t kBuckets = (40 - kSubBits) * kSubBuckets + kSubBuckets;

  static std::size_t IndexOf(std::int64_t nanoseconds);
  static std::int64_t UpperEdgeOf(std::size_t index);

  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
  std::int64_t sum_ = 0;
  std::int64_t max_ = 0;
};

}  // namespace voicebridge::load

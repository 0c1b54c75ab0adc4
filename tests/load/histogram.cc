#include "tests/load/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace voicebridge::load {

void Histogram::Add(Duration value) {
  const std::int64_t nanoseconds =
      std::clamp<std::int64_t>(std::chrono::nanoseconds(value).count(), 0, kValueMax);
  ++buckets_[IndexOf(nanoseconds)];
  ++count_;
  sum_ += nanoseconds;
  max_ = std::max(max_, nanoseconds);
}

void Histogram::Merge(const Histogram& other) {
  for (std::size_t index = 0; index < kBuckets; ++index) {
    buckets_[index] += other.buckets_[index];
  }
  count_ += other.count_;
  sum_ += other.sum_;
  max_ = std::max(max_, other.max_);
}

Duration Histogram::Mean() const {
  return count_ == 0 ? Duration::zero() : Duration(sum_ / static_cast<std::int64_t>(count_));
}

Duration Histogram::Percentile(double share) const {
  const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t index = 0; index < kBuckets && count_ != 0; ++index) {
    seen += buckets_[index];
    if (seen >= std::max<std::uint64_t>(wanted, 1)) {
      return Duration(std::min(UpperEdgeOf(index), max_));
    }
  }
  return Duration::zero();
}

// A value keeps its leading kSubBits + 1 bits; the number of bits cut off is the octave.
std::size_t Histogram::IndexOf(std::int64_t nanoseconds) {
  const auto value = static_cast<std::uint64_t>(nanoseconds);
  const unsigned width = static_cast<unsigned>(std::bit_width(value));
  const unsigned octave = width > kSubBits + 1 ? width - kSubBits - 1 : 0;
  return (static_cast<std::size_t>(octave) << kSubBits) + (value >> octave);
}

std::int64_t Histogram::UpperEdgeOf(std::size_t index) {
  const std::size_t octave = index < 2 * kSubBuckets ? 0 : index / kSubBuckets - 1;
  const std::size_t leading = index - (octave << kSubBits);
  return static_cast<std::int64_t>(((leading + 1) << octave) - 1);
}

}  // namespace voicebridge::load

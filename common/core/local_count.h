// Figures that one thread keeps and others read.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "common/core/time.h"

namespace voicebridge {

// Changed by one thread, for which that is as cheap as for a plain number; read by any.
class LocalCount {
 public:
  void Add(std::int64_t amount) { Set(value() + amount); }
  void Set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_ = 0;
};

// Durations by size, as above. Made for what takes less than a frame of audio when all is well.
class LocalHistogram {
 public:
  static constexpr std::array kBounds{
      microseconds(250),     microseconds(500),     microseconds(1000),     microseconds(2500),
      microseconds(5000),    microseconds(10'000),  microseconds(25'000),   microseconds(50'000),
      microseconds(100'000), microseconds(250'000), microseconds(1'000'000)};
  static constexpr std::size_t kBuckets = kBounds.size() + 1;  // The last has no bound.

  void Observe(Duration duration) {
    const auto* const bound = std::find_if(kBounds.begin(), kBounds.end(),
                                           [&](Duration each) { return duration <= each; });
    buckets_[static_cast<std::size_t>(bound - kBounds.begin())].Add(1);
    sum_.Add(duration.count());
  }

  std::int64_t bucket(std::size_t index) const { return buckets_[index].value(); }
  Duration sum() const { return Duration(sum_.value()); }

 private:
  std::array<LocalCount, kBuckets> buckets_;
  LocalCount sum_;
};

}  // namespace voicebridge

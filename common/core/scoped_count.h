// A gauge that is one higher for as long as something lives.
#pragma once

#include <atomic>
#include <cstdint>

namespace voicebridge {

// The gauge outlives it.
class ScopedCount {
 public:
  explicit ScopedCount(std::atomic<std::int64_t>& gauge) : gauge_(gauge) { ++gauge_; }
  ~ScopedCount() { --gauge_; }
  ScopedCount(const ScopedCount&) = delete;
  ScopedCount& operator=(const ScopedCount&) = delete;

 private:
  std::atomic<std::int64_t>& gauge_;
};

}  // namespace voicebridge

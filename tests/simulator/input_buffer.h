// The input audio buffer of a session, addressed by samples since the session began.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "common/core/audio.h"

namespace voicebridge::simulator {

// Holds at most twenty minutes: the oldest audio goes first.
class InputBuffer {
 public:
  void Append(std::string_view pcm) {
    pcm_ += pcm;
    static constexpr std::uint64_t kSamplesMax = 20 * 60 * kSamplesPerSecond;
    if (samples() > kSamplesMax) {
      DropBefore(end() - kSamplesMax);
    }
  }

  void DropBefore(std::uint64_t sample) {
    if (sample > first_) {
      const std::uint64_t dropped = std::min(sample - first_, samples());
      pcm_.erase(0, dropped * kBytesPerSample);
      first_ += dropped;
    }
  }

  // What lies before the sample, which must not be beyond the end.
  std::string TakeUntil(std::uint64_t sample) {
    std::string taken = pcm_.substr(0, (std::max(sample, first_) - first_) * kBytesPerSample);
    DropBefore(sample);
    return taken;
  }

  std::string TakeAll() {
    first_ = end();
    return std::exchange(pcm_, {});
  }

  std::uint64_t first() const { return first_; }
  std::uint64_t samples() const { return SamplesOfBytes(pcm_.size()); }
  std::uint64_t end() const { return first_ + samples(); }

 private:
  std::string pcm_;
  std::uint64_t first_ = 0;
};

}  // namespace voicebridge::simulator

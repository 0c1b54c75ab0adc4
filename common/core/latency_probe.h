// How long frames stay in this process, found out from a few of them.
#pragma once

#include <cstdint>
#include <optional>

#include "common/core/time.h"

namespace voicebridge {

// Times one frame in sixteen of a direction, and only one at a time, so that the others cost a
// comparison. A frame has a number that rises; one that is dropped before it is written is not
// counted, nor is another one missed because of it. Owned by a session, used on its executor.
class LatencyProbe {
 public:
  static constexpr unsigned kOneIn = 16;

  // Asked for each frame that was read. True: Read is called with the time, then the frame is
  // handled, which may lead to Queued, then Handled is called.
  bool IsDue() { return phase_ == Phase::kIdle && ++seen_ % kOneIn == 0; }
  void Read(TimePoint now) {
    read_ = now;
    phase_ = Phase::kRead;
  }
  void Queued(std::uint64_t number) {
    if (phase_ == Phase::kRead) {
      number_ = number;
      phase_ = Phase::kQueued;
    }
  }
  void Handled() {
    if (phase_ == Phase::kRead) {
      phase_ = Phase::kIdle;
    }
  }

  // Called for each frame that was written. When the frame that is timed was read, if it is this.
  std::optional<TimePoint> Written(std::uint64_t number) {
    if (phase_ != Phase::kQueued || number < number_) {
      return std::nullopt;
    }
    phase_ = Phase::kIdle;
    return number == number_ ? std::optional(read_) : std::nullopt;
  }

 private:
  enum class Phase { kIdle, kRead, kQueued };

  Phase phase_ = Phase::kIdle;
  unsigned seen_ = 0;
  TimePoint read_;
  std::uint64_t number_ = 0;
};

}  // namespace voicebridge

// Where time comes from. Machines are handed `now`; drivers ask a Clock.
#pragma once

#include "common/async/awaitable.h"
#include "common/core/deadline.h"
#include "common/core/time.h"

namespace voicebridge {

// Outlives everything that it was passed to.
class Clock {
 public:
  virtual ~Clock() = default;

  virtual TimePoint Now() const = 0;

  // True when the deadline came, false when the calling task was cancelled first.
  virtual Awaitable<bool> SleepUntil(Deadline deadline) = 0;
};

// The system's monotonic clock. Calls from several threads may overlap.
class SystemClock final : public Clock {
 public:
  TimePoint Now() const override;
  Awaitable<bool> SleepUntil(Deadline deadline) override;
};

}  // namespace voicebridge

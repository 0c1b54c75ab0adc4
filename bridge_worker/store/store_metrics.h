// How the store does, for the operator.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <cstddef>

#include "common/core/time.h"

namespace voicebridge::worker {

enum class StoreFailure {
  kUnavailable,  // An attempt that did not reach the database; it is tried again.
  kFailed,       // The database did not take it.
  kLate,         // A job that could not be done in time, and was given up.
  kRefused,      // Too many jobs wait.
};

// May be used on any thread.
class StoreMetrics {
 public:
  explicit StoreMetrics(prometheus::Registry& registry);

  // From the moment that it was given to the store until its end, good or bad.
  void ObserveJob(Duration took) { job_seconds_.Observe(ToSeconds(took)); }
  void Count(StoreFailure failure) { failures_[static_cast<std::size_t>(failure)]->Increment(); }
  double CountOf(StoreFailure failure) const {
    return failures_[static_cast<std::size_t>(failure)]->Value();
  }

 private:
  prometheus::Histogram& job_seconds_;
  std::array<prometheus::Counter*, 4> failures_{};
};

}  // namespace voicebridge::worker

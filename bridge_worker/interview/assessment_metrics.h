// How assessments go, for the operator.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <cstddef>

#include "common/core/time.h"

namespace voicebridge::worker {

// How a take-up by this process ended.
enum class AssessmentResult { kCompleted, kFailed, kLost, kNotStored, kReleased, kQueueTimeout };
// What one call of the model came to.
enum class AttemptOutcome { kReport, kUnusable, kRefused, kRejected, kUnavailable };

// May be used on any thread.
class AssessmentMetrics {
 public:
  explicit AssessmentMetrics(prometheus::Registry& registry);

  // `took`: from being claimed; of kQueueTimeout from being queued.
  void ObserveEnd(AssessmentResult result, Duration took) {
    seconds_[static_cast<std::size_t>(result)]->Observe(ToSeconds(took));
  }
  void CountAttempt(AttemptOutcome outcome) {
    attempts_[static_cast<std::size_t>(outcome)]->Increment();
  }
  double AttemptsOf(AttemptOutcome outcome) const {
    return attempts_[static_cast<std::size_t>(outcome)]->Value();
  }

 private:
  std::array<prometheus::Histogram*, 6> seconds_{};
  std::array<prometheus::Counter*, 5> attempts_{};
};

}  // namespace voicebridge::worker

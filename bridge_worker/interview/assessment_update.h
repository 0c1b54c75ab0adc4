// What becomes of an assessment, as its session is told. Values only.
#pragma once

#include <cstddef>
#include <string>
#include <variant>

namespace voicebridge::worker {

// What a session is told of its assessment, in this order; the last is Completed or Failed, and a
// retry begins anew. Stored and Completed may come more than once. Without Stored a Failed means
// that the store does not have it.
struct AssessmentStored {};
struct AssessmentQueued {
  std::size_t position;  // 1: next. Told again when it changes.
};
struct AssessmentRunning {
  unsigned attempt;  // From 1.
};
struct AssessmentCompleted {
  std::string report_json;  // Already stored.
};
struct AssessmentFailed {
  // model_refused, model_output, model_unavailable, timeout, queue_timeout, store_unavailable,
  // superseded.
  std::string reason;
};
using AssessmentUpdate = std::variant<AssessmentStored, AssessmentQueued, AssessmentRunning,
                                      AssessmentCompleted, AssessmentFailed>;

}  // namespace voicebridge::worker

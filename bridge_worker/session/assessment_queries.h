// What may be asked about a session's assessment from outside the session.
#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <string>

#include "bridge_worker/interview/assessment_service.h"
#include "bridge_worker/store/store.h"
#include "common/async/awaitable.h"
#include "common/core/deadline.h"

namespace voicebridge::worker {

// Called on any shard; fakes implement it in tests. Errors are those of Store, and
// DEADLINE_EXCEEDED, CANCELLED.
class AssessmentQueries {
 public:
  virtual ~AssessmentQueries() = default;

  virtual Awaitable<absl::StatusOr<AssessmentRecord>> Find(std::string session_id,
                                                           Deadline deadline) = 0;
  virtual Awaitable<absl::StatusOr<AssessmentRecord>> Retry(std::string session_id,
                                                            Deadline deadline) = 0;
};

// The service outlives it.
std::unique_ptr<AssessmentQueries> MakeAssessmentQueries(AssessmentService& service);

}  // namespace voicebridge::worker

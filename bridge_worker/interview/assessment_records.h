// Assessments in the store, as the service sees them; fakes implement it in tests.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bridge_worker/store/store_thread.h"
#include "common/async/awaitable.h"
#include "common/core/deadline.h"
#include "common/core/time.h"

namespace voicebridge::worker {

// The methods of Store without blocking: a store that is away is asked again until the deadline,
// then they end UNAVAILABLE or DEADLINE_EXCEEDED, and may still happen. May be called on any shard.
class AssessmentRecords {
 public:
  virtual ~AssessmentRecords() = default;

  virtual Awaitable<absl::StatusOr<AssessmentRecord>> Create(SessionOwner owner,
                                                             AssessmentRecord record,
                                                             Duration reserved,
                                                             Deadline deadline) = 0;
  virtual Awaitable<absl::StatusOr<std::vector<AssessmentRecord>>> Claim(
      std::size_t count, std::string only_assessment_id, Deadline deadline) = 0;
  virtual Awaitable<absl::Status> Renew(std::string assessment_id, std::uint64_t claim,
                                        Deadline deadline) = 0;
  virtual Awaitable<absl::Status> Complete(std::string assessment_id, std::uint64_t claim,
                                           std::string report_json, Deadline deadline) = 0;
  virtual Awaitable<absl::Status> Fail(std::string assessment_id, std::uint64_t claim,
                                       std::string reason, Deadline deadline) = 0;
  virtual Awaitable<absl::Status> Release(std::string assessment_id, std::uint64_t claim,
                                          Deadline deadline) = 0;
  virtual Awaitable<absl::StatusOr<AssessmentRecord>> Retry(std::string session_id,
                                                            Deadline deadline) = 0;
  virtual Awaitable<absl::StatusOr<AssessmentRecord>> Find(std::string session_id,
                                                           Deadline deadline) = 0;
};

// Claims for this worker, with this lease. The store thread outlives it.
std::unique_ptr<AssessmentRecords> MakeStoredRecords(StoreThread& store, std::string worker_id,
                                                     Duration lease);

}  // namespace voicebridge::worker

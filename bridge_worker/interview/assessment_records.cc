#include "bridge_worker/interview/assessment_records.h"

#include <functional>
#include <utility>

namespace voicebridge::worker {
namespace {

// What a job holds beside its texts.
constexpr std::size_t kJobBytes = 512;

class StoredRecords final : public AssessmentRecords {
 public:
  StoredRecords(StoreThread& store, std::string worker_id, Duration lease)
      : store_(store), worker_id_(std::move(worker_id)), lease_(lease) {}

  Awaitable<absl::StatusOr<AssessmentRecord>> Create(SessionOwner owner, AssessmentRecord record,
                                                     Duration reserved,
                                                     Deadline deadline) override {
    const std::size_t bytes = kJobBytes + record.request_json.size();
    RecordJob job = [owner = std::move(owner), record = std::move(record), reserved](Store& store) {
      return store.CreateAssessment(owner, record, reserved);
    };
    return store_.Do(std::move(job), bytes, deadline);
  }

  Awaitable<absl::StatusOr<std::vector<AssessmentRecord>>> Claim(std::size_t count,
                                                                 std::string only_assessment_id,
                                                                 Deadline deadline) override {
    std::function<absl::StatusOr<std::vector<AssessmentRecord>>(Store&)> job =
        [worker_id = worker_id_, lease = lease_, count, only = std::move(only_assessment_id)](
            Store& store) { return store.ClaimAssessments(worker_id, lease, count, only); };
    return store_.Do(std::move(job), kJobBytes, deadline);
  }

  Awaitable<absl::Status> Renew(std::string assessment_id, std::uint64_t claim,
                                Deadline deadline) override {
    StatusJob job = [id = std::move(assessment_id), claim, lease = lease_](Store& store) {
      return store.RenewLease(id, claim, lease);
    };
    return store_.Do(std::move(job), kJobBytes, deadline);
  }

  Awaitable<absl::Status> Complete(std::string assessment_id, std::uint64_t claim,
                                   std::string report_json, Deadline deadline) override {
    const std::size_t bytes = kJobBytes + report_json.size();
    StatusJob job = [id = std::move(assessment_id), claim, report = std::move(report_json)](
                        Store& store) { return store.CompleteAssessment(id, claim, report); };
    return store_.Do(std::move(job), bytes, deadline);
  }

  Awaitable<absl::Status> Fail(std::string assessment_id, std::uint64_t claim, std::string reason,
                               Deadline deadline) override {
    StatusJob job = [id = std::move(assessment_id), claim, reason = std::move(reason)](
                        Store& store) { return store.FailAssessment(id, claim, reason); };
    return store_.Do(std::move(job), kJobBytes, deadline);
  }

  Awaitable<absl::Status> Release(std::string assessment_id, std::uint64_t claim,
                                  Deadline deadline) override {
    StatusJob job = [id = std::move(assessment_id), claim](Store& store) {
      return store.ReleaseAssessment(id, claim);
    };
    return store_.Do(std::move(job), kJobBytes, deadline);
  }

  Awaitable<absl::StatusOr<AssessmentRecord>> Retry(std::string session_id,
                                                    Deadline deadline) override {
    RecordJob job = [session_id = std::move(session_id)](Store& store) {
      return store.RetryAssessment(session_id);
    };
    return store_.Do(std::move(job), kJobBytes, deadline);
  }

  Awaitable<absl::StatusOr<AssessmentRecord>> Find(std::string session_id,
                                                   Deadline deadline) override {
    RecordJob job = [session_id = std::move(session_id)](Store& store) {
      return store.GetAssessment(session_id);
    };
    return store_.Do(std::move(job), kJobBytes, deadline);
  }

 private:
  using StatusJob = std::function<absl::Status(Store&)>;
  using RecordJob = std::function<absl::StatusOr<AssessmentRecord>(Store&)>;

  StoreThread& store_;
  const std::string worker_id_;
  const Duration lease_;
};

}  // namespace

std::unique_ptr<AssessmentRecords> MakeStoredRecords(StoreThread& store, std::string worker_id,
                                                     Duration lease) {
  return std::make_unique<StoredRecords>(store, std::move(worker_id), lease);
}

}  // namespace voicebridge::worker

// Assessments in memory, for tests of what runs them.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "bridge_worker/interview/assessment_records.h"
#include "common/async/clock.h"

namespace voicebridge::worker::test {

// The rows, shared by all processes of a test.
struct FakeAssessmentTable {
  struct Row {
    AssessmentRecord record;
    TimePoint lease_end;  // Of a reservation, too; TimePoint(): none.
  };

  std::map<std::string, Row> rows;   // By session, which stands for the order of arrival too.
  std::vector<std::string> history;  // "claim a 1", "complete a 1", ...: what was written.

  // How many entries of the history begin so.
  int Count(std::string_view beginning) const;
};

// One process's way to the table. Each call takes one turn of the loop, so that others come
// between.
class FakeAssessmentRecords final : public AssessmentRecords {
 public:
  FakeAssessmentRecords(FakeAssessmentTable& table, Clock& clock, Duration lease)
      : table_(table), clock_(clock), lease_(lease) {}

  bool away = false;  // Calls wait for it to be there again, as long as they may.
  // Asked with the method's name before each call; what is not OK is its result.
  std::function<absl::Status(std::string_view method)> fault = [](std::string_view) {
    return absl::OkStatus();
  };

  Awaitable<absl::StatusOr<AssessmentRecord>> Create(SessionOwner owner, AssessmentRecord record,
                                                     Duration reserved, Deadline deadline) override;
  Awaitable<absl::StatusOr<std::vector<AssessmentRecord>>> Claim(std::size_t count,
                                                                 std::string only_assessment_id,
                                                                 Deadline deadline) override;
  Awaitable<absl::Status> Renew(std::string assessment_id, std::uint64_t claim,
                                Deadline deadline) override;
  Awaitable<absl::Status> Complete(std::string assessment_id, std::uint64_t claim,
                                   std::string report_json, Deadline deadline) override;
  Awaitable<absl::Status> Fail(std::string assessment_id, std::uint64_t claim, std::string reason,
                               Deadline deadline) override;
  Awaitable<absl::Status> Release(std::string assessment_id, std::uint64_t claim,
                                  Deadline deadline) override;
  Awaitable<absl::StatusOr<AssessmentRecord>> Retry(std::string session_id,
                                                    Deadline deadline) override;
  Awaitable<absl::StatusOr<AssessmentRecord>> Find(std::string session_id,
                                                   Deadline deadline) override;

 private:
  Awaitable<absl::Status> Reach(std::string_view method, Deadline deadline);
  // Null: the claim is not the newest, or the assessment is not running.
  FakeAssessmentTable::Row* Owned(const std::string& assessment_id, std::uint64_t claim);
  absl::Status Note(std::string_view what, const FakeAssessmentTable::Row* row);

  FakeAssessmentTable& table_;
  Clock& clock_;
  const Duration lease_;
};

}  // namespace voicebridge::worker::test

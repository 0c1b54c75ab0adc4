// The store over an SQL database: the statements that SQLite and PostgreSQL share.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bridge_worker/store/sql_database.h"
#include "bridge_worker/store/store.h"

namespace voicebridge::worker {

// Each method is one transaction. Those that write begin with the row of the session: it checks the
// epoch, and being the first row that any of them locks, it keeps transactions from deadlocks.
class SqlStore final : public Store {
 public:
  explicit SqlStore(std::unique_ptr<SqlDatabase> database) : database_(std::move(database)) {}

  absl::Status Open() override;

  absl::Status AcquireSession(const SessionOwner& owner, std::string_view profile) override;
  std::vector<absl::Status> EndSessions(const std::vector<SessionEnd>& ends) override;
  absl::Status WriteItems(const SessionOwner& owner, const std::vector<StoredItem>& items,
                          const std::vector<std::string>& deleted_item_ids) override;

  absl::StatusOr<ToolCallRecord> StartToolCall(const SessionOwner& owner,
                                               const ToolCallStart& call) override;
  absl::Status FinishToolCall(const SessionOwner& owner, std::string_view call_id,
                              std::string_view output) override;

  absl::StatusOr<AssessmentRecord> CreateAssessment(const SessionOwner& owner,
                                                    const AssessmentRecord& assessment,
                                                    Duration reserved) override;
  absl::StatusOr<std::vector<AssessmentRecord>> ClaimAssessments(
      std::string_view worker_id, Duration lease, std::size_t count,
      std::string_view only_assessment_id) override;
  absl::Status RenewLease(std::string_view assessment_id, std::uint64_t claim,
                          Duration lease) override;
  absl::Status CompleteAssessment(std::string_view assessment_id, std::uint64_t claim,
                                  std::string_view report_json) override;
  absl::Status FailAssessment(std::string_view assessment_id, std::uint64_t claim,
                              std::string_view reason) override;
  absl::Status ReleaseAssessment(std::string_view assessment_id, std::uint64_t claim) override;
  absl::StatusOr<AssessmentRecord> RetryAssessment(std::string_view session_id) override;
  absl::StatusOr<AssessmentRecord> GetAssessment(std::string_view session_id) override;

  absl::Status DeleteSession(std::string_view session_id) override;
  absl::StatusOr<std::size_t> DeleteOlderThan(Duration age) override;

 private:
  using Work = std::function<absl::Status()>;

  // The start of a tool call whose commit was not answered: it may be stored. Remembered, so that
  // the same call, made again, still knows it as its own.
  struct UnansweredStart {
    std::string session_id;
    std::string call_id;
    std::string start_id;
  };

  absl::Status InTransaction(Durability durability, const Work& work);
  // First of each write of a session: ABORTED, NOT_FOUND; else nobody else takes the session over
  // before the transaction ends.
  absl::Status CheckOwner(const SessionOwner& owner);
  absl::Status EndOne(const SessionEnd& end);
  std::string StartIdFor(const SessionOwner& owner, const ToolCallStart& call);
  absl::Status InsertToolCall(const SessionOwner& owner, const ToolCallStart& call,
                              const std::string& start_id, ToolCallRecord& record);
  absl::StatusOr<AssessmentRecord> FindAssessment(std::string_view session_id);
  // Why a write of a claim changed nothing.
  absl::Status ClaimLost(std::string_view assessment_id);
  // Ends `running` for the holder of the newest claim, once; the same call made again is OK.
  absl::Status LeaveRunning(std::string_view assessment_id, std::uint64_t claim,
                            const AssessmentRecord& result);

  std::unique_ptr<SqlDatabase> database_;
  std::optional<UnansweredStart> unanswered_start_;
};

}  // namespace voicebridge::worker

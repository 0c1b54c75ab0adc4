// The assessments of SqlStore.
#include <algorithm>
#include <charconv>
#include <utility>

#include "bridge_worker/store/sql_store.h"
#include "common/core/status.h"

namespace voicebridge::worker {
namespace {

std::int64_t ToMilliseconds(Duration duration) {
  return std::chrono::duration_cast<milliseconds>(duration).count();
}

std::int64_t StateNumber(AssessmentState state) { return static_cast<std::int64_t>(state); }

std::int64_t IntegerOf(const SqlCell& cell) {
  const std::string& text = cell.value();
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// Of a row with the columns id, session_id, profile, state, claim, request_json, report_json,
// failure_reason.
AssessmentRecord RecordOf(const SqlRow& row) {
  AssessmentRecord record;
  record.assessment_id = row[0].value();
  record.session_id = row[1].value();
  record.profile = row[2].value();
  record.state = static_cast<AssessmentState>(IntegerOf(row[3]));
  record.claim = static_cast<std::uint64_t>(IntegerOf(row[4]));
  record.request_json = row[5].value();
  record.report_json = row[6].value();
  record.failure_reason = row[7].value();
  return record;
}

absl::Status NoAssessment() { return absl::NotFoundError("the store has no such assessment"); }

}  // namespace

absl::StatusOr<AssessmentRecord> SqlStore::FindAssessment(std::string_view session_id) {
  const absl::StatusOr<SqlResult> found = database_->Execute(
      "SELECT id, session_id, profile, state, claim, request_json, report_json, failure_reason "
      "FROM assessments WHERE session_id = $1",
      {session_id});
  if (!found.ok()) {
    return found.status();
  }
  if (found->rows.empty()) {
    return NoAssessment();
  }
  return RecordOf(found->rows[0]);
}

// A reservation is a lease on a pending assessment; one that may be taken up has none.
absl::StatusOr<AssessmentRecord> SqlStore::CreateAssessment(const SessionOwner& owner,
                                                            const AssessmentRecord& assessment,
                                                            Duration reserved) {
  absl::StatusOr<AssessmentRecord> record = NoAssessment();
  const absl::Status status = InTransaction(Durability::kPower, [&]() -> absl::Status {
    absl::Status owned = CheckOwner(owner);
    if (!owned.ok()) {
      return owned;
    }
    const absl::StatusOr<SqlResult> inserted = database_->Execute(
        "INSERT INTO assessments (id, session_id, profile, state, claim, worker_id, lease_clock, "
        "  lease_until_ms, request_json, report_json, failure_reason) "
        "VALUES ($1, $2, $3, $4, 0, '', CASE WHEN $6 = 0 THEN '' ELSE {lease_clock} END, "
        "  {lease_ms} + $6, $5, '', '') ON CONFLICT (session_id) DO UPDATE SET "
        "  request_json = excluded.request_json, lease_clock = excluded.lease_clock, "
        "  lease_until_ms = excluded.lease_until_ms "
        "WHERE assessments.state = $4 AND assessments.claim = 0 AND assessments.lease_clock <> ''",
        {assessment.assessment_id, owner.session_id, assessment.profile,
         StateNumber(AssessmentState::kPending), assessment.request_json,
         ToMilliseconds(reserved)});
    record = inserted.ok() ? FindAssessment(owner.session_id) : inserted.status();
    return record.status();
  });
  if (!status.ok()) {
    return status;
  }
  return record;
}

absl::StatusOr<std::vector<AssessmentRecord>> SqlStore::ClaimAssessments(
    std::string_view worker_id, Duration lease, std::size_t count,
    std::string_view only_assessment_id) {
  std::vector<std::pair<std::int64_t, AssessmentRecord>> numbered;
  const absl::Status status = InTransaction(Durability::kPower, [&]() -> absl::Status {
    // Written so that no row is looked at twice: with the limit in a subquery of its own, two
    // workers take different rows, and neither waits for the other.
    const absl::StatusOr<SqlResult> claimed = database_->Execute(
        "WITH due AS MATERIALIZED (SELECT number FROM assessments WHERE state IN (0, 1) "
        "  AND (lease_clock <> {lease_clock} OR lease_until_ms <= {lease_ms}) "
        "  AND ($4 = '' OR id = $4) ORDER BY number LIMIT $3 {skip_locked}) "
        "UPDATE assessments SET state = 1, claim = claim + 1, worker_id = $1, "
        "  lease_clock = {lease_clock}, lease_until_ms = {lease_ms} + $2 "
        "WHERE number IN (SELECT number FROM due) "
        "RETURNING id, session_id, profile, state, claim, request_json, report_json, "
        "  failure_reason, number",
        {worker_id, ToMilliseconds(lease), static_cast<std::int64_t>(count), only_assessment_id});
    if (claimed.ok()) {
      for (const SqlRow& row : claimed->rows) {
        numbered.emplace_back(IntegerOf(row[8]), RecordOf(row));
      }
    }
    return claimed.status();
  });
  if (!status.ok()) {
    return status;
  }
  const auto by_number = [](const auto& one, const auto& other) { return one.first < other.first; };
  std::sort(numbered.begin(), numbered.end(), by_number);
  std::vector<AssessmentRecord> records;
  records.reserve(numbered.size());
  for (auto& [number, record] : numbered) {
    records.push_back(std::move(record));
  }
  return records;
}

absl::Status SqlStore::RenewLease(std::string_view assessment_id, std::uint64_t claim,
                                  Duration lease) {
  // A lease does not outlive the power anyway.
  return InTransaction(Durability::kProcess, [&]() -> absl::Status {
    const absl::StatusOr<SqlResult> renewed = database_->Execute(
        "UPDATE assessments SET lease_clock = {lease_clock}, lease_until_ms = {lease_ms} + $3 "
        "WHERE id = $1 AND claim = $2 AND state = 1",
        {assessment_id, static_cast<std::int64_t>(claim), ToMilliseconds(lease)});
    if (!renewed.ok() || renewed->changed == 1) {
      return renewed.status();
    }
    return ClaimLost(assessment_id);
  });
}

absl::Status SqlStore::ClaimLost(std::string_view assessment_id) {
  const absl::StatusOr<SqlResult> found =
      database_->Execute("SELECT 1 FROM assessments WHERE id = $1", {assessment_id});
  if (!found.ok()) {
    return found.status();
  }
  return found->rows.empty() ? NoAssessment()
                             : absl::AbortedError("the claim of the assessment is lost");
}

// Only what is stored already may be written again: the first answer may have been lost on its way.
absl::Status SqlStore::LeaveRunning(std::string_view assessment_id, std::uint64_t claim,
                                    const AssessmentRecord& result) {
  return InTransaction(Durability::kPower, [&]() -> absl::Status {
    absl::Status touched = database_
                               ->Execute(
                                   "UPDATE sessions SET written_ms = {wall_ms} WHERE id = "
                                   "(SELECT session_id FROM assessments WHERE id = $1)",
                                   {assessment_id})
                               .status();
    if (!touched.ok()) {
      return touched;
    }
    const absl::StatusOr<SqlResult> written = database_->Execute(
        "UPDATE assessments SET state = $3, report_json = $4, failure_reason = $5, "
        "  lease_clock = '' "
        "WHERE id = $1 AND claim = $2 AND (state = 1 "
        "  OR (state = $3 AND report_json = $4 AND failure_reason = $5))",
        {assessment_id, static_cast<std::int64_t>(claim), StateNumber(result.state),
         result.report_json, result.failure_reason});
    if (!written.ok() || written->changed == 1) {
      return written.status();
    }
    return ClaimLost(assessment_id);
  });
}

absl::Status SqlStore::CompleteAssessment(std::string_view assessment_id, std::uint64_t claim,
                                          std::string_view report_json) {
  AssessmentRecord result;
  result.state = AssessmentState::kCompleted;
  result.report_json = std::string(report_json);
  return LeaveRunning(assessment_id, claim, result);
}

absl::Status SqlStore::FailAssessment(std::string_view assessment_id, std::uint64_t claim,
                                      std::string_view reason) {
  AssessmentRecord result;
  result.state = AssessmentState::kFailed;
  result.failure_reason = std::string(reason);
  return LeaveRunning(assessment_id, claim, result);
}

absl::Status SqlStore::ReleaseAssessment(std::string_view assessment_id, std::uint64_t claim) {
  AssessmentRecord result;
  result.state = AssessmentState::kPending;
  return LeaveRunning(assessment_id, claim, result);
}

absl::StatusOr<AssessmentRecord> SqlStore::RetryAssessment(std::string_view session_id) {
  absl::StatusOr<AssessmentRecord> record = NoAssessment();
  const absl::Status status = InTransaction(Durability::kPower, [&]() -> absl::Status {
    absl::Status touched =
        database_->Execute("UPDATE sessions SET written_ms = {wall_ms} WHERE id = $1", {session_id})
            .status();
    if (!touched.ok()) {
      return touched;
    }
    const absl::StatusOr<SqlResult> reopened = database_->Execute(
        "UPDATE assessments SET state = 0, failure_reason = '' WHERE session_id = $1 AND state = 3",
        {session_id});
    if (!reopened.ok()) {
      return reopened.status();
    }
    record = FindAssessment(session_id);
    if (record.ok() && reopened->changed == 0) {
      return absl::FailedPreconditionError("the assessment has not failed");
    }
    return record.status();
  });
  if (!status.ok()) {
    return status;
  }
  return record;
}

absl::StatusOr<AssessmentRecord> SqlStore::GetAssessment(std::string_view session_id) {
  const absl::Status connected = database_->Connect();
  return connected.ok() ? FindAssessment(session_id) : connected;
}

}  // namespace voicebridge::worker

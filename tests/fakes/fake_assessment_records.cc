#include "tests/fakes/fake_assessment_records.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

namespace voicebridge::worker::test {

using Row = FakeAssessmentTable::Row;

int FakeAssessmentTable::Count(std::string_view beginning) const {
  return static_cast<int>(std::count_if(
      history.begin(), history.end(),
      [beginning](const std::string& entry) { return entry.starts_with(beginning); }));
}

Awaitable<absl::Status> FakeAssessmentRecords::Reach(std::string_view method, Deadline deadline) {
  const net::any_io_executor executor = co_await net::this_coro::executor;
  co_await net::post(executor, kNoThrow);
  bool cancelled = co_await IsCancelled();
  while (away && !cancelled && !deadline.HasPassed(clock_.Now())) {
    co_await clock_.SleepUntil(Deadline::After(clock_.Now(), milliseconds(50)).EarlierOf(deadline));
    cancelled = co_await IsCancelled();
  }
  if (cancelled) {
    co_return absl::CancelledError("cancelled");
  }
  if (away) {
    co_return absl::DeadlineExceededError("the store is away");
  }
  co_return fault(method);
}

Row* FakeAssessmentRecords::Owned(const std::string& assessment_id, std::uint64_t claim) {
  for (auto& [session_id, row] : table_.rows) {
    if (row.record.assessment_id == assessment_id && row.record.claim == claim &&
        row.record.state == AssessmentState::kRunning) {
      return &row;
    }
  }
  return nullptr;
}

absl::Status FakeAssessmentRecords::Note(std::string_view what, const Row* row) {
  if (row == nullptr) {
    return absl::AbortedError("the claim is lost");
  }
  table_.history.push_back(std::string(what) + " " + row->record.assessment_id + " " +
                           std::to_string(row->record.claim));
  return absl::OkStatus();
}

Awaitable<absl::StatusOr<AssessmentRecord>> FakeAssessmentRecords::Create(SessionOwner owner,
                                                                          AssessmentRecord record,
                                                                          Duration reserved,
                                                                          Deadline deadline) {
  const absl::Status reached = co_await Reach("create", deadline);
  if (!reached.ok()) {
    co_return reached;
  }
  Row row{std::move(record), reserved > Duration::zero() ? clock_.Now() + reserved : TimePoint()};
  const auto [entry, is_new] = table_.rows.try_emplace(owner.session_id, row);
  Row& stored = entry->second;
  const bool is_reserved = stored.record.state == AssessmentState::kPending &&
                           stored.record.claim == 0 && stored.lease_end != TimePoint();
  if (!is_new && is_reserved) {
    stored.record.request_json = row.record.request_json;
    stored.lease_end = row.lease_end;
  }
  if (is_new || is_reserved) {
    const absl::Status ignored = Note(reserved > Duration::zero() ? "reserve" : "create", &stored);
  }
  co_return entry->second.record;
}

Awaitable<absl::StatusOr<std::vector<AssessmentRecord>>> FakeAssessmentRecords::Claim(
    std::size_t count, std::string only_assessment_id, Deadline deadline) {
  const absl::Status reached = co_await Reach("claim", deadline);
  if (!reached.ok()) {
    co_return reached;
  }
  std::vector<AssessmentRecord> claimed;
  for (auto& [session_id, row] : table_.rows) {
    AssessmentRecord& record = row.record;
    const bool is_free =
        (record.state == AssessmentState::kPending || record.state == AssessmentState::kRunning) &&
        row.lease_end <= clock_.Now();
    const bool is_meant = only_assessment_id.empty() || only_assessment_id == record.assessment_id;
    if (is_free && is_meant && claimed.size() < count) {
      record.state = AssessmentState::kRunning;
      ++record.claim;
      row.lease_end = clock_.Now() + lease_;
      claimed.push_back(record);
      const absl::Status ignored = Note("claim", &row);
    }
  }
  co_return claimed;
}

Awaitable<absl::Status> FakeAssessmentRecords::Renew(std::string assessment_id, std::uint64_t claim,
                                                     Deadline deadline) {
  const absl::Status reached = co_await Reach("renew", deadline);
  if (!reached.ok()) {
    co_return reached;
  }
  Row* const row = Owned(assessment_id, claim);
  if (row != nullptr) {
    row->lease_end = clock_.Now() + lease_;
  }
  co_return Note("renew", row);
}

Awaitable<absl::Status> FakeAssessmentRecords::Complete(std::string assessment_id,
                                                        std::uint64_t claim,
                                                        std::string report_json,
                                                        Deadline deadline) {
  const absl::Status reached = co_await Reach("complete", deadline);
  if (!reached.ok()) {
    co_return reached;
  }
  Row* const row = Owned(assessment_id, claim);
  if (row != nullptr) {
    row->record.state = AssessmentState::kCompleted;
    row->record.report_json = std::move(report_json);
    row->lease_end = TimePoint();
  }
  co_return Note("complete", row);
}

Awaitable<absl::Status> FakeAssessmentRecords::Fail(std::string assessment_id, std::uint64_t claim,
                                                    std::string reason, Deadline deadline) {
  const absl::Status reached = co_await Reach("fail", deadline);
  if (!reached.ok()) {
    co_return reached;
  }
  Row* const row = Owned(assessment_id, claim);
  if (row != nullptr) {
    row->record.state = AssessmentState::kFailed;
    row->record.failure_reason = std::move(reason);
    row->lease_end = TimePoint();
  }
  co_return Note("fail", row);
}

Awaitable<absl::Status> FakeAssessmentRecords::Release(std::string assessment_id,
                                                       std::uint64_t claim, Deadline deadline) {
  const absl::Status reached = co_await Reach("release", deadline);
  if (!reached.ok()) {
    co_return reached;
  }
  Row* const row = Owned(assessment_id, claim);
  if (row != nullptr) {
    row->record.state = AssessmentState::kPending;
    row->lease_end = TimePoint();
  }
  co_return Note("release", row);
}

Awaitable<absl::StatusOr<AssessmentRecord>> FakeAssessmentRecords::Retry(std::string session_id,
                                                                         Deadline deadline) {
  const absl::Status reached = co_await Reach("retry", deadline);
  if (!reached.ok()) {
    co_return reached;
  }
  const auto found = table_.rows.find(session_id);
  if (found == table_.rows.end()) {
    co_return absl::NotFoundError("no assessment");
  }
  AssessmentRecord& record = found->second.record;
  if (record.state != AssessmentState::kFailed) {
    co_return absl::FailedPreconditionError("it has not failed");
  }
  record.state = AssessmentState::kPending;
  record.failure_reason.clear();
  co_return record;
}

Awaitable<absl::StatusOr<AssessmentRecord>> FakeAssessmentRecords::Find(std::string session_id,
                                                                        Deadline deadline) {
  const absl::Status reached = co_await Reach("find", deadline);
  if (!reached.ok()) {
    co_return reached;
  }
  const auto found = table_.rows.find(session_id);
  if (found == table_.rows.end()) {
    co_return absl::NotFoundError("no assessment");
  }
  co_return found->second.record;
}

}  // namespace voicebridge::worker::test

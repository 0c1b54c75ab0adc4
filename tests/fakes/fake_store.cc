#include "tests/fakes/fake_store.h"

#include <utility>

#include "common/core/status.h"

namespace voicebridge::test {

using worker::AssessmentRecord;
using worker::SessionOwner;
using worker::StoredItem;
using worker::ToolCallRecord;
using worker::ToolCallStart;

void FakeStoreSwitches::SetAway(bool away) {
  const std::lock_guard lock(mutex_);
  away_ = away;
}

void FakeStoreSwitches::SetFailing(bool failing) {
  const std::lock_guard lock(mutex_);
  failing_ = failing;
}

void FakeStoreSwitches::SetFull(bool full) {
  const std::lock_guard lock(mutex_);
  full_ = full;
}

void FakeStoreSwitches::SetHanging(bool hanging) {
  const std::lock_guard lock(mutex_);
  hanging_ = hanging;
  changed_.notify_all();
}

bool FakeStoreSwitches::WaitUntilHanging() {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, seconds(10), [this] { return hung_ > 0; });
}

int FakeStoreSwitches::calls() {
  const std::lock_guard lock(mutex_);
  return calls_;
}

std::vector<std::string> FakeStoreSwitches::written() {
  const std::lock_guard lock(mutex_);
  return written_;
}

void FakeStoreSwitches::NoteWritten(const std::vector<StoredItem>& items) {
  const std::lock_guard lock(mutex_);
  for (const StoredItem& item : items) {
    written_.push_back(item.item_id);
  }
}

absl::Status FakeStoreSwitches::Enter() {
  std::unique_lock lock(mutex_);
  ++calls_;
  if (hanging_) {
    ++hung_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !hanging_; });
    --hung_;
  }
  if (failing_) {
    return absl::InternalError("the fake store fails");
  }
  if (full_) {
    return absl::ResourceExhaustedError("the fake store is full");
  }
  return away_ ? Unavailable("the fake store is away") : absl::OkStatus();
}

FakeStore::FakeStore(std::shared_ptr<FakeStoreSwitches> switches)
    : switches_(std::move(switches)), store_(worker::MakeStore("sqlite::memory:").value()) {}

absl::Status FakeStore::Open() {
  absl::Status entered = switches_->Enter();
  return entered.ok() ? store_->Open() : entered;
}

absl::Status FakeStore::AcquireSession(const SessionOwner& owner, std::string_view profile) {
  absl::Status entered = switches_->Enter();
  return entered.ok() ? store_->AcquireSession(owner, profile) : entered;
}

std::vector<absl::Status> FakeStore::EndSessions(const std::vector<worker::SessionEnd>& ends) {
  const absl::Status entered = switches_->Enter();
  return entered.ok() ? store_->EndSessions(ends) : std::vector(ends.size(), entered);
}

absl::Status FakeStore::WriteItems(const SessionOwner& owner, const std::vector<StoredItem>& items,
                                   const std::vector<std::string>& deleted_item_ids) {
  absl::Status entered = switches_->Enter();
  if (!entered.ok()) {
    return entered;
  }
  absl::Status written = store_->WriteItems(owner, items, deleted_item_ids);
  if (written.ok()) {
    switches_->NoteWritten(items);
  }
  return written;
}

absl::StatusOr<ToolCallRecord> FakeStore::StartToolCall(const SessionOwner& owner,
                                                        const ToolCallStart& call) {
  const absl::Status entered = switches_->Enter();
  return entered.ok() ? store_->StartToolCall(owner, call) : entered;
}

absl::Status FakeStore::FinishToolCall(const SessionOwner& owner, std::string_view call_id,
                                       std::string_view output) {
  absl::Status entered = switches_->Enter();
  return entered.ok() ? store_->FinishToolCall(owner, call_id, output) : entered;
}

absl::StatusOr<AssessmentRecord> FakeStore::CreateAssessment(const SessionOwner& owner,
                                                             const AssessmentRecord& assessment,
                                                             Duration reserved) {
  const absl::Status entered = switches_->Enter();
  return entered.ok() ? store_->CreateAssessment(owner, assessment, reserved) : entered;
}

absl::StatusOr<std::vector<AssessmentRecord>> FakeStore::ClaimAssessments(
    std::string_view worker_id, Duration lease, std::size_t count,
    std::string_view only_assessment_id) {
  const absl::Status entered = switches_->Enter();
  return entered.ok() ? store_->ClaimAssessments(worker_id, lease, count, only_assessment_id)
                      : entered;
}

absl::Status FakeStore::RenewLease(std::string_view assessment_id, std::uint64_t claim,
                                   Duration lease) {
  absl::Status entered = switches_->Enter();
  return entered.ok() ? store_->RenewLease(assessment_id, claim, lease) : entered;
}

absl::Status FakeStore::CompleteAssessment(std::string_view assessment_id, std::uint64_t claim,
                                           std::string_view report_json) {
  absl::Status entered = switches_->Enter();
  return entered.ok() ? store_->CompleteAssessment(assessment_id, claim, report_json) : entered;
}

absl::Status FakeStore::FailAssessment(std::string_view assessment_id, std::uint64_t claim,
                                       std::string_view reason) {
  absl::Status entered = switches_->Enter();
  return entered.ok() ? store_->FailAssessment(assessment_id, claim, reason) : entered;
}

absl::Status FakeStore::ReleaseAssessment(std::string_view assessment_id, std::uint64_t claim) {
  absl::Status entered = switches_->Enter();
  return entered.ok() ? store_->ReleaseAssessment(assessment_id, claim) : entered;
}

absl::StatusOr<AssessmentRecord> FakeStore::RetryAssessment(std::string_view session_id) {
  const absl::Status entered = switches_->Enter();
  return entered.ok() ? store_->RetryAssessment(session_id) : entered;
}

absl::StatusOr<AssessmentRecord> FakeStore::GetAssessment(std::string_view session_id) {
  const absl::Status entered = switches_->Enter();
  return entered.ok() ? store_->GetAssessment(session_id) : entered;
}

absl::Status FakeStore::DeleteSession(std::string_view session_id) {
  absl::Status entered = switches_->Enter();
  return entered.ok() ? store_->DeleteSession(session_id) : entered;
}

absl::StatusOr<std::size_t> FakeStore::DeleteOlderThan(Duration age) {
  const absl::Status entered = switches_->Enter();
  return entered.ok() ? store_->DeleteOlderThan(age) : entered;
}

}  // namespace voicebridge::test

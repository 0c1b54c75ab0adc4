// A store in memory that can be told to be away, to hang or to fail.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "bridge_worker/store/store.h"

namespace voicebridge::test {

// The switches may be used from any thread; whoever owns it through a StoreThread keeps them.
class FakeStoreSwitches {
 public:
  // Every call is UNAVAILABLE and changes nothing.
  void SetAway(bool away);
  // Every call is INTERNAL and changes nothing.
  void SetFailing(bool failing);
  // Every call is RESOURCE_EXHAUSTED and changes nothing, as on a disk that is full.
  void SetFull(bool full);
  // Every call that begins waits until it is set to false.
  void SetHanging(bool hanging);

  // Waits until a call hangs; false after ten seconds.
  bool WaitUntilHanging();

  // Of all methods, so far.
  int calls();
  // Ids of the items that were written, in that order.
  std::vector<std::string> written();

  // For the fake: waits while hanging, then says whether it may go on.
  absl::Status Enter();
  void NoteWritten(const std::vector<worker::StoredItem>& items);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool away_ = false;
  bool failing_ = false;
  bool full_ = false;
  bool hanging_ = false;
  int hung_ = 0;
  int calls_ = 0;
  std::vector<std::string> written_;
};

// Otherwise the SQLite store with nothing on disk: rules and errors are those of the real one.
class FakeStore final : public worker::Store {
 public:
  explicit FakeStore(std::shared_ptr<FakeStoreSwitches> switches);

  absl::Status Open() override;
  absl::Status AcquireSession(const worker::SessionOwner& owner, std::string_view profile) override;
  std::vector<absl::Status> EndSessions(const std::vector<worker::SessionEnd>& ends) override;
  absl::Status WriteItems(const worker::SessionOwner& owner,
                          const std::vector<worker::StoredItem>& items,
                          const std::vector<std::string>& deleted_item_ids) override;
  absl::StatusOr<worker::ToolCallRecord> StartToolCall(const worker::SessionOwner& owner,
                                                       const worker::ToolCallStart& call) override;
  absl::Status FinishToolCall(const worker::SessionOwner& owner, std::string_view call_id,
                              std::string_view output) override;
  absl::StatusOr<worker::AssessmentRecord> CreateAssessment(
      const worker::SessionOwner& owner, const worker::AssessmentRecord& assessment,
      Duration reserved) override;
  absl::StatusOr<std::vector<worker::AssessmentRecord>> ClaimAssessments(
      std::string_view worker_id, Duration lease, std::size_t count,
      std::string_view only_assessment_id) override;
  absl::Status RenewLease(std::string_view assessment_id, std::uint64_t claim,
                          Duration lease) override;
  absl::Status CompleteAssessment(std::string_view assessment_id, std::uint64_t claim,
                                  std::string_view report_json) override;
  absl::Status FailAssessment(std::string_view assessment_id, std::uint64_t claim,
                              std::string_view reason) override;
  absl::Status ReleaseAssessment(std::string_view assessment_id, std::uint64_t claim) override;
  absl::StatusOr<worker::AssessmentRecord> RetryAssessment(std::string_view session_id) override;
  absl::StatusOr<worker::AssessmentRecord> GetAssessment(std::string_view session_id) override;
  absl::Status DeleteSession(std::string_view session_id) override;
  absl::StatusOr<std::size_t> DeleteOlderThan(Duration age) override;

 private:
  std::shared_ptr<FakeStoreSwitches> switches_;
  std::unique_ptr<worker::Store> store_;
};

}  // namespace voicebridge::test

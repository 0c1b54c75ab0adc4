// What outlives a process: who owns a session, its items, its tool calls and its assessment.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/core/time.h"

namespace voicebridge::worker {

// A session as seen by one attachment of a worker. Every write of session state carries it; a write
// whose epoch is not the newest any more is ABORTED.
struct SessionOwner {
  std::string session_id;
  std::uint64_t epoch = 0;
  std::string worker_id;         // Of this process, new with each start.
  std::string traceparent = {};  // Of this attachment; for logs and calls, not stored.
};

struct StoredItem {
  std::string item_id;
  std::string previous_item_id;  // Empty: first.
  std::string item_json;         // OpenAI's item object, without audio.
  std::string transcript;
  int transcript_state = 0;  // v1::TranscriptState.
};

struct SessionEnd {
  SessionOwner owner;
  std::string reason;  // For people.
};

struct ToolCallStart {
  std::string call_id;
  std::string name;
  std::string arguments_json;
};

// What is known of a tool call before it may be started.
struct ToolCallRecord {
  bool is_new = false;                // This call stored the start; nobody has executed it.
  std::optional<std::string> output;  // Present: it has ended with this.
};

enum class AssessmentState { kPending, kRunning, kCompleted, kFailed };

struct AssessmentRecord {
  std::string assessment_id;
  std::string session_id;
  std::string profile;
  AssessmentState state = AssessmentState::kPending;
  std::uint64_t claim = 0;   // Rises with each take-up; only its newest holder may write a result.
  std::string request_json;  // What is to be assessed, as it was when it was triggered.
  std::string report_json;   // Of kCompleted.
  std::string failure_reason;  // Of kFailed: a word, for programs.
  // Of whoever triggered it here; not stored, so empty for one that another process left.
  std::string traceparent = {};
};

// Blocking; used by one thread (see StoreThread). Errors: UNAVAILABLE the database cannot be
// reached or is busy, and the same call may be made again; ABORTED the session has a newer owner,
// or the claim is lost; NOT_FOUND; RESOURCE_EXHAUSTED the disk is full; INTERNAL with the
// database's message, without values.
class Store {
 public:
  virtual ~Store() = default;

  // Connects if it must, and brings the schema to the newest version; safe for several processes at
  // the same time.
  virtual absl::Status Open() = 0;

  // The compare-and-set of an epoch: an unknown session is created, a known one changes hands when
  // owner.epoch is higher than the stored one. Idempotent for the same epoch and worker. ABORTED:
  // another worker holds this epoch or a newer one.
  virtual absl::Status AcquireSession(const SessionOwner& owner, std::string_view profile) = 0;
  // How sessions ended; their rows stay until retention or deletion. One transaction, which waits
  // for the disk once, and an outcome for each in the same order.
  virtual std::vector<absl::Status> EndSessions(const std::vector<SessionEnd>& ends) = 0;
  absl::Status EndSession(const SessionOwner& owner, std::string_view reason) {
    return EndSessions({{owner, std::string(reason)}}).front();
  }

  // Inserts or replaces items by id, and removes others; one transaction.
  virtual absl::Status WriteItems(const SessionOwner& owner, const std::vector<StoredItem>& items,
                                  const std::vector<std::string>& deleted_item_ids) = 0;

  // Durable before it returns. Started once by one owner: a second start of the same call_id
  // changes nothing and is told what is known.
  virtual absl::StatusOr<ToolCallRecord> StartToolCall(const SessionOwner& owner,
                                                       const ToolCallStart& call) = 0;
  virtual absl::Status FinishToolCall(const SessionOwner& owner, std::string_view call_id,
                                      std::string_view output) = 0;

  // Stores it as pending; durable before it returns. For as long as `reserved` nobody takes it up,
  // and its owner may store it again with another request. A session has one assessment: any other
  // call for it returns its record unchanged.
  virtual absl::StatusOr<AssessmentRecord> CreateAssessment(const SessionOwner& owner,
                                                            const AssessmentRecord& assessment,
                                                            Duration reserved) = 0;
  // Takes up to `count` assessments that are pending and not reserved, or running with a lease that
  // ran out, oldest first; of them only `only_assessment_id` unless that is empty. Each gets state
  // running, a higher claim and a lease from now.
  virtual absl::StatusOr<std::vector<AssessmentRecord>> ClaimAssessments(
      std::string_view worker_id, Duration lease, std::size_t count,
      std::string_view only_assessment_id) = 0;
  // ABORTED: the claim is not the newest any more, or the assessment is not running. The call that
  // ended it may be made again, with the same result.
  virtual absl::Status RenewLease(std::string_view assessment_id, std::uint64_t claim,
                                  Duration lease) = 0;
  virtual absl::Status CompleteAssessment(std::string_view assessment_id, std::uint64_t claim,
                                          std::string_view report_json) = 0;
  virtual absl::Status FailAssessment(std::string_view assessment_id, std::uint64_t claim,
                                      std::string_view reason) = 0;
  // Back to pending, for another worker: a drain.
  virtual absl::Status ReleaseAssessment(std::string_view assessment_id, std::uint64_t claim) = 0;
  // From failed to pending. FAILED_PRECONDITION: it has not failed.
  virtual absl::StatusOr<AssessmentRecord> RetryAssessment(std::string_view session_id) = 0;
  virtual absl::StatusOr<AssessmentRecord> GetAssessment(std::string_view session_id) = 0;

  // The session with all that belongs to it. NOT_FOUND when there is none.
  virtual absl::Status DeleteSession(std::string_view session_id) = 0;
  // Sessions that were not written for this long and have no assessment to come; how many. Others
  // wait for the database meanwhile, so it is at most kDeletedMax, and the next call takes the
  // next.
  static constexpr std::size_t kDeletedMax = 500;
  virtual absl::StatusOr<std::size_t> DeleteOlderThan(Duration age) = 0;
};

// From `sqlite:PATH`, `sqlite::memory:` or `postgresql://...`. INVALID_ARGUMENT says what was
// expected; the password of a URL appears in no message. Not opened yet.
absl::StatusOr<std::unique_ptr<Store>> MakeStore(std::string_view url);

}  // namespace voicebridge::worker

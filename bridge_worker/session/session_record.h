// What one session leaves in the store: its owner, its items, its end.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bridge_worker/session/unsaved_records.h"
#include "bridge_worker/store/store_thread.h"
#include "common/async/awaitable.h"
#include "common/async/clock.h"
#include "common/async/event.h"
#include "common/observability/log.h"
#include "common/observability/trace_logger.h"
#include "voicebridge/v1/conversation.pb.h"

namespace voicebridge::worker {

// Collects changes while a write is under way, so that a slow store sees fewer and larger ones and
// what waits is never more than the snapshot holds. Shared by its session and by the task that
// writes, which outlives the session until all is written. Used on one executor.
class SessionRecord {
 public:
  // Called at most once, when another attachment has taken the session over.
  using OnSuperseded = std::function<void()>;

  SessionRecord(StoreThread& store, SessionOwner owner, std::string profile, Clock& clock,
                Logger& logger, UnsavedRecords& unsaved, const net::any_io_executor& executor,
                OnSuperseded on_superseded);

  const SessionOwner& owner() const { return owner_; }

  // The grant, before the session is served. ABORTED: it belongs to somebody else. Anything else
  // than OK: it is not confirmed yet, and Run goes on trying.
  Awaitable<absl::Status> Acquire(Deadline deadline);

  void Note(const v1::SnapshotDelta& delta);
  // The session is over; the callback is not called any more.
  void Close(std::string_view reason);

  // Writes until closed and written; named among the unsaved meanwhile.
  static Awaitable<void> Run(std::shared_ptr<SessionRecord> self);

 private:
  struct Changes {
    std::vector<StoredItem> upserted;  // In the order of their first change.
    std::vector<std::string> deleted;

    bool empty() const { return upserted.empty() && deleted.empty(); }
  };
  enum class Step { kGrant, kChanges, kEnd };

  Awaitable<absl::Status> WriteAll();
  Awaitable<absl::Status> WritePatiently(Step step);
  Awaitable<absl::Status> Write(Step step);
  Awaitable<absl::Status> WriteChanges();
  Awaitable<absl::Status> WriteEnd();
  void PutBack(const Changes& changes);
  void GiveUp(const absl::Status& why);
  Deadline WriteDeadline() const;

  StoreThread& store_;
  const SessionOwner owner_;
  const std::string profile_;
  Clock& clock_;
  TraceLogger logger_;
  UnsavedRecords& unsaved_;
  OnSuperseded on_superseded_;
  Event changed_;
  Changes changes_;
  std::string end_reason_;
  bool granted_ = false;
  bool closed_ = false;
  bool given_up_ = false;
};

}  // namespace voicebridge::worker

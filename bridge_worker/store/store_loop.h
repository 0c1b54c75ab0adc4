// What the store's thread does: jobs in order, each again while the database is away.
#pragma once

#include <absl/status/status.h>

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

#include "bridge_worker/store/store.h"
#include "bridge_worker/store/store_metrics.h"
#include "common/core/deadline.h"
#include "common/core/live_tasks.h"
#include "common/observability/log.h"

namespace voicebridge::worker {

struct StoreJob {
  std::function<absl::Status(Store&)> work;
  std::size_t bytes = 0;
  Deadline deadline = Deadline::Never();
  TimePoint given;  // Add sets it.
  // Called once, on the store's thread or by Stop. OK: `work` has ended, other than UNAVAILABLE.
  std::function<void(const absl::Status&)> on_end;
};

struct StoreLoopLimits {
  std::size_t jobs_max;
  std::size_t bytes_max;
};

// Run is called by one thread, all else by any. That thread shares the ownership: whoever gives up
// waiting for it leaves this object to it.
class StoreLoop {
 public:
  StoreLoop(std::unique_ptr<Store> store, StoreLoopLimits limits, Logger& logger,
            StoreMetrics& metrics, LiveTasks& library_calls);

  // Opens the store with the first job, and performs jobs until Stop.
  void Run();

  // RESOURCE_EXHAUSTED: the queue is full. UNAVAILABLE: it is closed. on_end is not called then.
  absl::Status Add(StoreJob job);

  // Refuses new jobs and waits for the others.
  bool Flush(Deadline deadline);
  // Begins no more jobs, ends those that wait as CANCELLED. True once Run is about to return; false
  // when it did not come back in time: then neither logger nor metrics are used any more.
  bool Stop(Deadline deadline);

  std::size_t pending() const;
  bool available() const;

 private:
  bool Next(StoreJob& job);
  void Perform(const StoreJob& job);
  absl::Status Attempt(const StoreJob& job);
  // False: stopped, or the deadline has come.
  bool PauseBeforeRetry(Duration pause, Deadline deadline);
  void NoteOutcome(const absl::Status& status);
  void Count(StoreFailure failure);
  void Forget(const StoreJob& job);

  const std::unique_ptr<Store> store_;
  const StoreLoopLimits limits_;
  LiveTasks& library_calls_;
  bool opened_ = false;  // Used by the store's thread only.

  mutable std::mutex mutex_;  // Guards what follows.
  std::condition_variable changed_;
  std::deque<StoreJob> waiting_;
  std::size_t jobs_ = 0;  // With the one that runs.
  std::size_t bytes_ = 0;
  bool closed_ = false;
  bool stopped_ = false;
  bool returned_ = false;
  absl::StatusCode last_outcome_ = absl::StatusCode::kOk;
  Logger* logger_;
  StoreMetrics* metrics_;
};

}  // namespace voicebridge::worker

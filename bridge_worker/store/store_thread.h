// The store behind an awaitable interface: one thread that may block, so that no shard does.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "bridge_worker/store/session_ends.h"
#include "bridge_worker/store/store.h"
#include "bridge_worker/store/store_metrics.h"
#include "common/async/awaitable.h"
#include "common/core/deadline.h"
#include "common/core/live_tasks.h"
#include "common/observability/log.h"

namespace voicebridge::worker {

class StoreLoop;

// Runs jobs in the order in which they were given. A job that ends UNAVAILABLE is tried again, with
// back-off, until its deadline; those behind it wait. Bounded: at most kJobsMax jobs and kBytesMax
// bytes wait; more are refused with RESOURCE_EXHAUSTED at once. Owned by the worker, outlives the
// sessions. Do may be called on any shard; it resumes on the caller's executor.
class StoreThread {
 public:
  static constexpr std::size_t kJobsMax = 100'000;
  static constexpr std::size_t kBytesMax = 64U << 20U;

  // `library_calls` outlives every thread of the process.
  StoreThread(std::unique_ptr<Store> store, Logger& logger, StoreMetrics& metrics,
              LiveTasks& library_calls);
  // Joins the thread when it is idle; a thread that is stuck in the database is left behind.
  ~StoreThread();

  // Opens the store; INTERNAL, UNAVAILABLE, INVALID_ARGUMENT as it says. Before any Do.
  absl::Status Start(Deadline deadline);

  // The job may outlive the caller: it holds what it needs by value, `bytes` of it. Result is a
  // Status or StatusOr. Besides what the job ends with: RESOURCE_EXHAUSTED, UNAVAILABLE (flushed
  // already), and it has not happened; DEADLINE_EXCEEDED and CANCELLED (of
  // the calling task), and it may still happen. The deadline is one of the system's clock.
  template <class Result>
  Awaitable<Result> Do(std::function<Result(Store&)> job, std::size_t bytes, Deadline deadline);

  // For jobs that end a session.
  SessionEnds& ends() { return *ends_; }

  // Refuses new jobs and waits for those that were given; false: some were left at the deadline.
  // Not on a shard: it blocks.
  bool Flush(Deadline deadline);

  // Jobs that wait or run; 0 once flushed.
  std::size_t pending() const;
  // Whether the last job reached the database; for readiness and metrics.
  bool available() const;

 private:
  using Work = std::function<absl::Status(Store&)>;

  // The job keeps its result where the caller finds it, and tells the loop only how it went.
  template <class Result>
  static Work Recording(std::function<Result(Store&)> job,
                        std::shared_ptr<std::optional<Result>> result);
  static const absl::Status& StatusOf(const absl::Status& status) { return status; }
  template <class Value>
  static const absl::Status& StatusOf(const absl::StatusOr<Value>& result) {
    return result.status();
  }

  // OK: `work` has ended, in whatever way.
  Awaitable<absl::Status> Run(Work work, std::size_t bytes, Deadline deadline);

  // Both shared with the thread, which may have to be left behind.
  const std::shared_ptr<SessionEnds> ends_ = std::make_shared<SessionEnds>();
  std::shared_ptr<StoreLoop> loop_;
  std::thread thread_;
};

template <class Result>
StoreThread::Work StoreThread::Recording(std::function<Result(Store&)> job,
                                         std::shared_ptr<std::optional<Result>> result) {
  return [job = std::move(job), result = std::move(result)](Store& store) {
    // A job that throws is a bug; it does not take those of the others along.
    try {
      result->emplace(job(store));
    } catch (const std::exception& error) {
      result->emplace(absl::InternalError(error.what()));
    }
    return StatusOf(**result);
  };
}

template <class Result>
Awaitable<Result> StoreThread::Do(std::function<Result(Store&)> job, std::size_t bytes,
                                  Deadline deadline) {
  const auto result = std::make_shared<std::optional<Result>>();
  Work work = Recording(std::move(job), result);
  const absl::Status ran = co_await Run(std::move(work), bytes, deadline);
  if (!ran.ok()) {
    co_return ran;
  }
  co_return std::move(**result);
}

}  // namespace voicebridge::worker

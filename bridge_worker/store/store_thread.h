// The store behind an awaitable interface: one thread that may block, so that no shard does.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "bridge_worker/store/store.h"
#include "common/async/awaitable.h"
#include "common/core/deadline.h"
#include "common/observability/log.h"

namespace voicebridge::worker {

// Runs jobs in the order in which they were given. A job that ends UNAVAILABLE is tried again, with
// back-off, until its deadline; those behind it wait. Bounded: at most kJobsMax jobs and kBytesMax
// bytes wait; more are refused with RESOURCE_EXHAUSTED at once. Owned by the worker, outlives the
// sessions. Do may be called on any shard; it resumes on the caller's executor.
class StoreThread {
 public:
  static constexpr std::size_t kJobsMax = 100'000;
  static constexpr std::size_t kBytesMax = 64U << 20U;

  StoreThread(std::unique_ptr<Store> store, Logger& logger);
  // Joins the thread when it is idle; a thread that is stuck in the database is left behind.
  ~StoreThread();

  // Opens the store; INTERNAL, UNAVAILABLE, INVALID_ARGUMENT as it says. Before any Do.
  absl::Status Start(Deadline deadline);

  // DEADLINE_EXCEEDED: it may still happen. `bytes`: what the job holds.
  template <class Result>
  Awaitable<Result> Do(std::function<Result(Store&)> job, std::size_t bytes, Deadline deadline);

  // Refuses new jobs and waits for those that were given; false: some were left at the deadline.
  // Not on a shard: it blocks.
  bool Flush(Deadline deadline);

  // Jobs that wait or run; 0 once flushed.
  std::size_t pending() const;
  // Whether the last job reached the database; for readiness and metrics.
  bool available() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace voicebridge::worker

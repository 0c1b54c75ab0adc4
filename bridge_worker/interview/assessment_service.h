// Runs assessments beside the conversations: a queue, leases, retries, and those that other workers
// left behind.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bridge_worker/interview/assessment_metrics.h"
#include "bridge_worker/interview/assessment_update.h"
#include "bridge_worker/interview/responses_client.h"
#include "bridge_worker/store/lost_records.h"
#include "bridge_worker/store/store_thread.h"
#include "common/async/awaitable.h"
#include "common/async/clock.h"
#include "common/async/task_group.h"
#include "common/config/profiles.h"
#include "common/observability/log.h"

namespace voicebridge::worker {

struct AssessmentLimits {
  std::size_t parallel = 8;  // Model calls at the same time in this process.
  Duration queue_max = std::chrono::minutes(5);
  Duration lease = seconds(15);  // Renewed at a third of it.
  Duration reap_interval = seconds(5);
};

// Lives on the first shard: its tasks, its state. Owned by the worker.
class AssessmentService {
 public:
  // Called on the executor that was given with it; never after Forget returned there.
  using Listener = std::function<void(const AssessmentUpdate&)>;

  AssessmentService(AssessmentLimits limits, const Profiles& profiles, ResponsesClient& client,
                    StoreThread& store, LostRecords& lost, AssessmentMetrics& metrics,
                    std::string worker_id, net::any_io_executor executor, Clock& clock,
                    TaskGroup& tasks, Logger& logger);
  ~AssessmentService();

  // Begins to look for assessments that are pending: now, on notice and at each reap_interval.
  void Start();

  // The methods below may be called on any shard.

  // Stores the assessment as pending, then queues it. It goes on when the session ends. Calling it
  // again for the same session only replaces the listener and tells it the state. With
  // `words_awaited` the request is not complete yet: it is only stored, and comes again within this
  // time; a process that dies before leaves it to others as it is.
  void Assess(SessionOwner owner, AssessmentRecord assessment, Duration words_awaited,
              net::any_io_executor executor, Listener listener);
  // The session ended, or does not want to know any more.
  void Forget(const std::string& session_id);
  // From failed to pending, and queued. NOT_FOUND, FAILED_PRECONDITION: as the store says.
  // `traceparent`: of whoever asks; empty: its trace is a new one.
  Awaitable<absl::StatusOr<AssessmentRecord>> Retry(std::string session_id, std::string traceparent,
                                                    Deadline deadline);
  Awaitable<absl::StatusOr<AssessmentRecord>> Find(std::string session_id, Deadline deadline);

  // A drain, and its end if it is undone. Each may come again, in any order.
  // No more are taken up; what is triggered is stored as pending.
  void Hold();
  // As Hold; and those that run are cancelled and stored as pending, bounded by the deadline. The
  // ids of assessments that could not be stored, and of sessions whose trigger could not.
  Awaitable<std::vector<std::string>> Stop(Deadline deadline);
  void Resume();

  // For metrics.
  std::size_t running() const;
  std::size_t queued() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace voicebridge::worker

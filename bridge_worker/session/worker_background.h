// A worker's work beside its sessions: assessments, records on their way to the store, retention.
#pragma once

#include <string>
#include <vector>

#include "bridge_worker/interview/assessment_service.h"
#include "bridge_worker/session/unsaved_records.h"
#include "bridge_worker/store/store_thread.h"
#include "common/async/task_group.h"
#include "common/composition/background_work.h"
#include "common/observability/log.h"

namespace voicebridge::worker {

// Owned by the worker; works on the first shard, in its tasks. What it is made of outlives it.
class WorkerBackground final : public BackgroundWork {
 public:
  struct Parts {
    AssessmentService& assessments;
    StoreThread& store;
    UnsavedRecords& unsaved;
    Duration retention;  // Zero: nothing is deleted.
    net::any_io_executor executor;
    Clock& clock;
    TaskGroup& tasks;
    LiveTasks& live_tasks;
    TaskGroup::OnFailure on_task_failure;
    Logger& logger;
  };

  explicit WorkerBackground(Parts parts);

  // Before the shard's thread runs.
  void Start();

  void Hold() override;
  void Stop(Deadline deadline, Done done) override;
  void Save(Deadline deadline, Done done) override;
  std::vector<std::string> Unsaved() override { return parts_.unsaved.names(); }
  void Resume() override;

 private:
  Awaitable<void> DoStop(Deadline deadline, Done done);
  Awaitable<void> DoSave(Deadline deadline, Done done);
  void StartRetention();

  Parts parts_;
  TaskGroup reaper_;  // Its one task can be stopped, and started again.
};

}  // namespace voicebridge::worker

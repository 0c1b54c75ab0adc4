// A worker's work beside its sessions: assessments, records on their way to the store, retention.
#pragma once

#include <atomic>
#include <cstdint>

#include "bridge_worker/interview/assessment_service.h"
#include "bridge_worker/store/store_thread.h"
#include "common/composition/background_work.h"
#include "common/runtime/shard.h"

namespace voicebridge::worker {

// Owned by the worker; works on the first shard. All outlives it.
class WorkerBackground final : public BackgroundWork {
 public:
  WorkerBackground(AssessmentService& assessments, StoreThread& store,
                   const std::atomic<std::int64_t>& records, Shard& shard)
      : assessments_(assessments), store_(store), records_(records), shard_(shard) {}

  void Hold() override {}
  void Stop(Deadline deadline, Done done) override;
  void Save(Deadline deadline, Done done) override;
  std::vector<std::string> Unsaved() override;
  void Resume() override {}

 private:
  Awaitable<void> DoStop(Deadline deadline, Done done);
  Awaitable<void> DoSave(Deadline deadline, Done done);

  AssessmentService& assessments_;
  StoreThread& store_;
  const std::atomic<std::int64_t>& records_;
  Shard& shard_;
};

}  // namespace voicebridge::worker

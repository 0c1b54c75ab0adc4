// What a drain does to a process, and the process's last steps: the same for gateway and worker.
#pragma once

#include <functional>

#include "common/admin/admin_server.h"
#include "common/async/task_group.h"
#include "common/composition/background_work.h"
#include "common/drain/drain_coordinator.h"
#include "common/observability/log.h"
#include "common/process/exit_code.h"
#include "common/process/service_manager.h"
#include "common/runtime/session_index.h"
#include "common/runtime/shard_group.h"

namespace voicebridge {

// Owned by the composition root, used on the main thread. Its order at the end: sessions settled,
// streams finished, calls cancelled, servers shut down while the shards still poll, queues drained,
// logs flushed. The service manager hears of each turn, and waits for nothing else.
class ProcessDrain final : public DrainedProcess {
 public:
  // All outlives the drain.
  struct Parts {
    Logger& logger;
    DrainCoordinator& coordinator;
    DrainState& state;
    SessionIndex& index;
    ShardGroup& shards;
    AdminServer& admin;
    const LiveTasks& tasks;
    const LiveTasks& library_calls;
    BackgroundWork& background;
    // Whoever watches the process's status hears of it now.
    std::function<void()> notify_status;
    // A gateway's: asks every worker, and posts their answers to the coordinator.
    std::function<void(const DrainWorkers&)> call_workers;
    // Called once no task is left, while the shards still poll: ends what they serve calls for.
    std::function<void()> shut_down_server;
  };

  explicit ProcessDrain(Parts parts);

  // Serves until a drain ends the process; what is left to do then is to leave with the code.
  ExitCode Run();

  void RefuseAdmission() override;
  void AnnounceExit(Deadline end) override;
  void AnnounceDrain(Deadline deadline) override;
  void CallWorkers(const DrainWorkers& order) override;
  void StopBackground(Deadline deadline) override;
  void EndSessions(Deadline deadline) override;
  void ForceSessions() override;
  void SaveRecords(Deadline deadline) override;
  std::vector<std::string> Unsaved() override;
  void AdmitAgain() override;
  std::int64_t live_tasks() const override;
  std::int64_t live_sessions() const override;

 private:
  ExitCode Leave(const DrainCoordinator::End& end);
  void NameThreadsLeft();
  void TellServiceManager(std::string_view lines, Duration patience);

  Parts parts_;
  const ServiceManager service_manager_ = ServiceManager::FromEnvironment();
};

}  // namespace voicebridge

// The drain of a process, from the signal to the exit code: the same steps for gateway and worker.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "common/admin/admin_server.h"
#include "common/drain/drain_plan.h"
#include "common/drain/watchdog.h"
#include "common/observability/log.h"
#include "common/process/exit_code.h"
#include "common/runtime/session_index.h"
#include "common/runtime/shard_group.h"

namespace voicebridge {

// What is drained. All of it outlives the call.
struct DrainedProcess {
  Logger& logger;
  SessionIndex& index;
  ShardGroup& shards;
  AdminServer& admin;
  std::atomic<bool>& draining;
  // Called once admission is refused: watchers are told.
  std::function<void()> on_draining;
  // Called once no session is left: stores what background work leaves, within the deadline. How
  // many records could not be saved.
  std::function<std::size_t(Deadline)> settle_background;
  // Called once no task is left, while the shards still poll: ends what they serve calls for.
  std::function<void()> shut_down_server;
};

// For the main thread, which runs no handlers. Order: flag, admission refused, sessions told and
// settled, tasks cancelled, server shut down, queues drained, logs flushed.
ExitCode DrainProcess(DrainedProcess& process, const DrainPlan& plan, int signal);

// Until the first stop signal.
void WaitForSignal(const Watchdog& watchdog);

}  // namespace voicebridge

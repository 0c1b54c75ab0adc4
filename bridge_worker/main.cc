#include <absl/synchronization/mutex.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "bridge_worker/worker.h"
#include "bridge_worker/worker_config.h"
#include "bridge_worker/worker_metrics.h"
#include "common/config/flags.h"
#include "common/core/status.h"
#include "common/drain/watchdog.h"
#include "common/process/exit_code.h"
#include "common/process/leave.h"
#include "common/process/signals.h"

int main(int argc, char** argv) {
  using voicebridge::ExitCode;
  using voicebridge::worker::WorkerGauges;
  // Before the first thread and the first gRPC call.
  const voicebridge::StopSignals signals;
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  ::setenv("GRPC_POLL_STRATEGY", "poll", 0);
  static WorkerGauges gauges;
  static voicebridge::Watchdog watchdog(
      {"worker", gauges.tasks, gauges.sessions, gauges.library_calls});

  if (const auto code = voicebridge::ParseFlags(
          argc, argv, "voicebridge-worker: holds OpenAI Realtime sessions for gateways.",
          voicebridge::worker::WorkerFlags())) {
    return *code;
  }
  static const auto config = voicebridge::worker::LoadWorkerConfig();
  if (!config.ok()) {
    std::fprintf(stderr, "%s", voicebridge::Message(config.status()).c_str());
    voicebridge::Leave(ExitCode::kBadConfiguration);
  }
  if (config->check_only) {
    std::puts("configuration ok");
    voicebridge::Leave(ExitCode::kClean);
  }
  voicebridge::Leave(voicebridge::worker::RunWorker(*config, watchdog, gauges));
}

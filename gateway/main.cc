#include <absl/synchronization/mutex.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "common/config/flags.h"
#include "common/core/status.h"
#include "common/drain/watchdog.h"
#include "common/process/exit_code.h"
#include "common/process/leave.h"
#include "common/process/signals.h"
#include "gateway/gateway.h"
#include "gateway/gateway_config.h"
#include "gateway/gateway_metrics.h"

int main(int argc, char** argv) {
  using voicebridge::ExitCode;
  using voicebridge::gateway::GatewayGauges;
  // Before the first thread and the first gRPC call.
  const voicebridge::StopSignals signals;
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  ::setenv("GRPC_POLL_STRATEGY", "poll", 0);
  // A worker that has come back is connected to by nobody's call, so that no queue polls for it;
  // gRPC itself does so only every 5 s by default.
  ::setenv("GRPC_CLIENT_CHANNEL_BACKUP_POLL_INTERVAL_MS", "100", 0);
  static GatewayGauges gauges;
  static voicebridge::Watchdog watchdog(
      {"gateway", gauges.tasks, gauges.sessions, gauges.library_calls});

  if (const auto code = voicebridge::ParseFlags(
          argc, argv, "voicebridge-gateway: OpenAI Realtime over WebSocket for browsers and SDKs.",
          voicebridge::gateway::GatewayFlags())) {
    return *code;
  }
  static const auto config = voicebridge::gateway::LoadGatewayConfig();
  if (!config.ok()) {
    std::fprintf(stderr, "%s", voicebridge::Message(config.status()).c_str());
    voicebridge::Leave(ExitCode::kBadConfiguration);
  }
  if (config->check_only) {
    std::puts("configuration ok");
    voicebridge::Leave(ExitCode::kClean);
  }
  voicebridge::Leave(voicebridge::gateway::RunGateway(*config, watchdog, gauges));
}

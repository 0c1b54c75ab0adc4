#include "gateway/gateway_metrics.h"

#include "common/composition/drain_metrics.h"
#include "common/composition/process_metrics.h"

namespace voicebridge::gateway {

GatewayMetrics::GatewayMetrics(ProcessRegistry& registry, const GatewayGauges& gauges)
    : sessions_ended(registry, "voicebridge_gateway_sessions_ended_total",
                     "Sessions that ended, by reason."),
      upgrades_refused(AddCounter(registry, "voicebridge_gateway_upgrades_refused_total",
                                  "WebSocket upgrades refused: credentials, limits, no worker.")),
      audio_frames_dropped(
          AddCounter(registry, "voicebridge_gateway_audio_frames_dropped_total",
                     "Queued audio frames voided by a barge-in, cancel or truncate.")),
      attach_retries(AddCounter(registry, "voicebridge_gateway_attach_retries_total",
                                "Workers tried beyond the first of a session.")),
      ready_seconds(AddWaitHistogram(registry, "voicebridge_gateway_ready_seconds",
                                     "From the upgrade of a client to its session.created.")),
      first_audio_seconds(AddWaitHistogram(
          registry, "voicebridge_gateway_commit_to_first_audio_seconds",
          "From the end of a user's turn, committed or found by voice activity, to the first "
          "audio of the answer that is written to the client.")) {
  auto& sessions = AddGauge(registry, "voicebridge_gateway_sessions", "Sessions held now.");
  auto& calls = AddGauge(registry, "voicebridge_gateway_calls", "Open calls to workers.");
  auto& serving =
      AddGauge(registry, "voicebridge_gateway_workers_serving", "Workers that may get a session.");
  AddProcessMetrics(registry, "voicebridge_gateway", gauges.tasks);
  AddDrainMetrics(registry, "voicebridge_gateway", gauges.drain);
  registry.OnCollect([&gauges, &sessions, &calls, &serving] {
    sessions.Set(static_cast<double>(gauges.sessions.count()));
    calls.Set(static_cast<double>(gauges.calls.load()));
    serving.Set(static_cast<double>(gauges.workers_serving.load()));
  });
}

}  // namespace voicebridge::gateway

#include "gateway/gateway_metrics.h"

#include "common/composition/drain_metrics.h"

namespace voicebridge::gateway {
namespace {

prometheus::Histogram& ReadyHistogram(prometheus::Registry& registry) {
  return prometheus::BuildHistogram()
      .Name("voicebridge_gateway_ready_seconds")
      .Help("From the upgrade of a client to its session.created.")
      .Register(registry)
      .Add({}, prometheus::Histogram::BucketBoundaries{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
                                                       10});
}

}  // namespace

GatewayMetrics::GatewayMetrics(ProcessRegistry& registry, const GatewayGauges& gauges)
    : sessions_ended(registry, "voicebridge_gateway_sessions_ended_total",
                     "Sessions that ended, by reason."),
      upgrades_refused(AddCounter(registry, "voicebridge_gateway_upgrades_refused_total",
                                  "WebSocket upgrades refused: credentials, limits, no worker.")),
      audio_frames_from_clients(AddCounter(registry,
                                           "voicebridge_gateway_audio_frames_from_clients_total",
                                           "Audio frames forwarded to workers.")),
      audio_frames_to_clients(AddCounter(registry,
                                         "voicebridge_gateway_audio_frames_to_clients_total",
                                         "Audio frames written to clients.")),
      audio_frames_dropped(
          AddCounter(registry, "voicebridge_gateway_audio_frames_dropped_total",
                     "Queued audio frames voided by a barge-in, cancel or truncate.")),
      attach_retries(AddCounter(registry, "voicebridge_gateway_attach_retries_total",
                                "Workers tried beyond the first of a session.")),
      ready_seconds(ReadyHistogram(registry)) {
  auto& sessions = AddGauge(registry, "voicebridge_gateway_sessions", "Sessions held now.");
  auto& tasks = AddGauge(registry, "voicebridge_gateway_tasks", "Live coroutines in task groups.");
  auto& calls = AddGauge(registry, "voicebridge_gateway_calls", "Open calls to workers.");
  auto& serving =
      AddGauge(registry, "voicebridge_gateway_workers_serving", "Workers that may get a session.");
  AddDrainMetrics(registry, "voicebridge_gateway", gauges.drain);
  registry.OnCollect([&gauges, &sessions, &tasks, &calls, &serving] {
    sessions.Set(static_cast<double>(gauges.sessions.count()));
    tasks.Set(static_cast<double>(gauges.tasks.total()));
    calls.Set(static_cast<double>(gauges.calls.load()));
    serving.Set(static_cast<double>(gauges.workers_serving.load()));
  });
}

}  // namespace voicebridge::gateway

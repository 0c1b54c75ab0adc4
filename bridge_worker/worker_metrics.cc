#include "bridge_worker/worker_metrics.h"

#include "common/composition/drain_metrics.h"

namespace voicebridge::worker {
namespace {

prometheus::Histogram& ConnectHistogram(prometheus::Registry& registry) {
  return prometheus::BuildHistogram()
      .Name("voicebridge_worker_upstream_connect_seconds")
      .Help("From dialling the upstream to its confirmed configuration.")
      .Register(registry)
      .Add({}, prometheus::Histogram::BucketBoundaries{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
                                                       10});
}

}  // namespace

WorkerMetrics::WorkerMetrics(ProcessRegistry& registry, const WorkerGauges& gauges,
                             std::int64_t capacity)
    : sessions_ended(registry, "voicebridge_worker_sessions_ended_total",
                     "Sessions that ended, by reason."),
      lost(registry),
      attaches_refused(AddCounter(registry, "voicebridge_worker_attaches_refused_total",
                                  "Attach calls refused before a session began.")),
      audio_frames_to_upstream(AddCounter(registry,
                                          "voicebridge_worker_audio_frames_to_upstream_total",
                                          "Audio frames sent to the upstream.")),
      audio_frames_to_gateway(AddCounter(registry,
                                         "voicebridge_worker_audio_frames_to_gateway_total",
                                         "Audio frames sent to gateways.")),
      audio_bytes_to_upstream(AddCounter(registry,
                                         "voicebridge_worker_audio_bytes_to_upstream_total",
                                         "PCM bytes sent to the upstream.")),
      audio_bytes_to_gateway(AddCounter(registry, "voicebridge_worker_audio_bytes_to_gateway_total",
                                        "PCM bytes sent to gateways.")),
      audio_frames_dropped(
          AddCounter(registry, "voicebridge_worker_audio_frames_dropped_total",
                     "Queued audio frames voided by a barge-in, cancel or truncate.")),
      upstream_protocol_errors(AddCounter(registry,
                                          "voicebridge_worker_upstream_protocol_errors_total",
                                          "Malformed upstream messages, skipped.")),
      upstream_connect_seconds(ConnectHistogram(registry)) {
  auto& sessions = AddGauge(registry, "voicebridge_worker_sessions", "Sessions held now.");
  auto& tasks = AddGauge(registry, "voicebridge_worker_tasks", "Live coroutines in task groups.");
  auto& calls = AddGauge(registry, "voicebridge_worker_calls", "Calls of gateways being served.");
  AddDrainMetrics(registry, "voicebridge_worker", gauges.drain);
  AddGauge(registry, "voicebridge_worker_capacity", "Sessions held at most.")
      .Set(static_cast<double>(capacity));
  registry.OnCollect([&gauges, &sessions, &tasks, &calls] {
    sessions.Set(static_cast<double>(gauges.sessions.count()));
    tasks.Set(static_cast<double>(gauges.tasks.total()));
    calls.Set(static_cast<double>(gauges.calls.load()));
  });
}

}  // namespace voicebridge::worker

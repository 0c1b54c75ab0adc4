#include "gateway/gateway_metrics.h"

#include "common/composition/drain_metrics.h"
#include "common/composition/process_metrics.h"

namespace voicebridge::gateway {

RefusalCounters::RefusalCounters(prometheus::Registry& registry, const std::string& name,
                                 const std::string& help) {
  auto& family = prometheus::BuildCounter().Name(name).Help(help).Register(registry);
  for (std::size_t i = 0; i < by_reason_.size(); ++i) {
    const std::string word(RefusalTraitsOf(static_cast<RefusalReason>(i)).word);
    by_reason_[i] = &family.Add({{"reason", word}});
  }
}

GatewayMetrics::GatewayMetrics(ProcessRegistry& registry, const GatewayGauges& gauges)
    : sessions_ended(registry, "voicebridge_gateway_sessions_ended_total",
                     "Sessions that ended, by reason."),
      requests_refused(registry, "voicebridge_gateway_requests_refused_total",
                       "Requests and connections refused, by reason: credentials, limits, no "
                       "worker."),
      clients_slowed(AddCounter(registry, "voicebridge_gateway_clients_slowed_total",
                                "Sessions whose client sent faster than the message rate.")),
      audio_frames_dropped(
          AddCounter(registry, "voicebridge_gateway_audio_frames_dropped_total",
                     "Queued audio frames voided by a barge-in, cancel or truncate.")),
      attach_retries(AddCounter(registry, "voicebridge_gateway_attach_retries_total",
                                "Workers tried beyond the first of a session.")),
      reloads_refused(AddCounter(registry, "voicebridge_gateway_reloads_refused_total",
                                 "Changed files that were not taken; the old ones stay.")),
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

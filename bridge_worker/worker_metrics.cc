#include "bridge_worker/worker_metrics.h"

#include "common/composition/drain_metrics.h"
#include "common/composition/process_metrics.h"

namespace voicebridge::worker {
namespace {

constexpr std::string_view kOtherTroubles = "others";

}  // namespace

TroubleCounters::TroubleCounters(prometheus::Registry& registry) {
  auto& family = prometheus::BuildCounter()
                     .Name("voicebridge_worker_troubles_total")
                     .Help(
                         "What a user did not get all of while the session went on, by the event "
                         "of its log line.")
                     .Register(registry);
  for (const std::string_view event :
       {std::string_view("response.failed"), std::string_view("response.incomplete"),
        std::string_view("response.late"), std::string_view("session.update_late"),
        std::string_view("summary.failed"), std::string_view("summary.skipped"),
        std::string_view("tool.arguments_invalid"), std::string_view("tool.follow_up_dropped"),
        std::string_view("transcription.failed"), std::string_view("voice.not_changed"),
        kOtherTroubles}) {
    by_event_.emplace(event, &family.Add({{"event", std::string(event)}}));
  }
}

void TroubleCounters::Count(std::string_view event) {
  const auto found = by_event_.find(event);
  (found == by_event_.end() ? by_event_.find(kOtherTroubles) : found)->second->Increment();
}

WorkerMetrics::WorkerMetrics(ProcessRegistry& registry, const WorkerGauges& gauges,
                             std::int64_t capacity)
    : sessions_ended(registry, "voicebridge_worker_sessions_ended_total",
                     "Sessions that ended, by reason."),
      lost(registry),
      store(registry),
      tools(registry),
      assessments(registry),
      troubles(registry),
      attaches_refused(AddCounter(registry, "voicebridge_worker_attaches_refused_total",
                                  "Attach calls refused before a session began.")),
      audio_frames_dropped(
          AddCounter(registry, "voicebridge_worker_audio_frames_dropped_total",
                     "Queued audio frames voided by a barge-in, cancel or truncate.")),
      upstream_protocol_errors(AddCounter(registry,
                                          "voicebridge_worker_upstream_protocol_errors_total",
                                          "Malformed upstream messages, skipped.")),
      reloads_refused(AddCounter(registry, "voicebridge_worker_reloads_refused_total",
                                 "Changed files that were not taken; the old ones stay.")),
      upstream_connect_seconds(
          AddWaitHistogram(registry, "voicebridge_worker_upstream_connect_seconds",
                           "From dialling the upstream to its confirmed configuration.")),
      first_audio_seconds(AddWaitHistogram(
          registry, "voicebridge_worker_commit_to_first_audio_seconds",
          "From the end of a user's turn, committed or found by voice activity, to the first "
          "audio of the answer that comes from the upstream.")) {
  auto& sessions = AddGauge(registry, "voicebridge_worker_sessions", "Sessions held now.");
  auto& calls = AddGauge(registry, "voicebridge_worker_calls", "Calls of gateways being served.");
  AddProcessMetrics(registry, "voicebridge_worker", gauges.tasks);
  AddDrainMetrics(registry, "voicebridge_worker", gauges.drain);
  AddGauge(registry, "voicebridge_worker_capacity", "Sessions held at most.")
      .Set(static_cast<double>(capacity));
  registry.OnCollect([&gauges, &sessions, &calls] {
    sessions.Set(static_cast<double>(gauges.sessions.count()));
    calls.Set(static_cast<double>(gauges.calls.load()));
  });
}

}  // namespace voicebridge::worker

// The gateway's metrics; tests/golden/gateway_metrics.txt lists their names.
#pragma once

#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "common/core/live_sessions.h"
#include "common/core/live_tasks.h"
#include "common/drain/drain_state.h"
#include "common/observability/metrics.h"
#include "gateway/client/refusal.h"

namespace voicebridge::gateway {

// Counts that other threads read (scrapes, watchdog); they live as long as the process.
struct GatewayGauges {
  LiveTasks tasks;
  LiveTasks library_calls;  // That may block, each on a thread of its own.
  LiveSessions sessions;
  std::atomic<std::int64_t> calls = 0;  // Calls to workers that are open.
  std::atomic<std::int64_t> workers_serving = 0;
  DrainState drain;
};

// One counter per reason, looked up once: a closed set of labels.
class RefusalCounters {
 public:
  RefusalCounters(prometheus::Registry& registry, const std::string& name, const std::string& help);
  void Count(RefusalReason reason) { by_reason_[static_cast<std::size_t>(reason)]->Increment(); }

 private:
  std::array<prometheus::Counter*, kRefusalReasons> by_reason_{};
};

// Those of the shards are added by AddShardMetrics.
struct GatewayMetrics {
  GatewayMetrics(ProcessRegistry& registry, const GatewayGauges& gauges);

  EndReasonCounters sessions_ended;
  RefusalCounters requests_refused;
  prometheus::Counter& clients_slowed;
  prometheus::Counter& audio_frames_dropped;
  prometheus::Counter& attach_retries;
  prometheus::Counter& reloads_refused;
  prometheus::Histogram& ready_seconds;  // From the upgrade to session.created.
  // From the end of a user's turn to the first audio of the answer.
  prometheus::Histogram& first_audio_seconds;
};

}  // namespace voicebridge::gateway

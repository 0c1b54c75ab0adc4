// The gateway's metrics; tests/golden/gateway_metrics.txt lists their names.
#pragma once

#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include <atomic>
#include <cstdint>

#include "common/core/live_sessions.h"
#include "common/core/live_tasks.h"
#include "common/drain/drain_state.h"
#include "common/observability/metrics.h"

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

// Those of the shards are added by AddShardMetrics.
struct GatewayMetrics {
  GatewayMetrics(ProcessRegistry& registry, const GatewayGauges& gauges);

  EndReasonCounters sessions_ended;
  prometheus::Counter& upgrades_refused;
  prometheus::Counter& audio_frames_dropped;
  prometheus::Counter& attach_retries;
  prometheus::Histogram& ready_seconds;  // From the upgrade to session.created.
  // From the end of a user's turn to the first audio of the answer.
  prometheus::Histogram& first_audio_seconds;
};

}  // namespace voicebridge::gateway

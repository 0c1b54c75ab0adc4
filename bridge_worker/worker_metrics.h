// The worker's metrics; tests/golden/worker_metrics.txt lists their names.
#pragma once

#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include <atomic>
#include <cstdint>
#include <memory>

#include "bridge_worker/store/lost_records.h"
#include "common/core/live_sessions.h"
#include "common/core/live_tasks.h"
#include "common/drain/drain_state.h"
#include "common/observability/metrics.h"

namespace voicebridge::worker {

// Counts that other threads read (scrapes, watchdog); they live as long as the process.
struct WorkerGauges {
  LiveTasks tasks;
  LiveTasks library_calls;  // That may block, each on a thread of its own.
  LiveSessions sessions;
  std::atomic<std::int64_t> calls = 0;  // Calls of gateways being served.
  DrainState drain;
};

struct WorkerMetrics {
  WorkerMetrics(ProcessRegistry& registry, const WorkerGauges& gauges, std::int64_t capacity);

  EndReasonCounters sessions_ended;
  LostRecords lost;
  prometheus::Counter& attaches_refused;
  prometheus::Counter& audio_frames_to_upstream;
  prometheus::Counter& audio_frames_to_gateway;
  prometheus::Counter& audio_bytes_to_upstream;
  prometheus::Counter& audio_bytes_to_gateway;
  prometheus::Counter& audio_frames_dropped;  // Void after a barge-in, cancel or truncate.
  prometheus::Counter& upstream_protocol_errors;
  prometheus::Histogram& upstream_connect_seconds;  // From dialling to the confirmed configuration.
};

}  // namespace voicebridge::worker

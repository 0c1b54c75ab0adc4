// The worker's metrics; tests/golden/worker_metrics.txt lists their names.
#pragma once

#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "bridge_worker/interview/assessment_metrics.h"
#include "bridge_worker/store/lost_records.h"
#include "bridge_worker/store/store_metrics.h"
#include "bridge_worker/tools/tool_metrics.h"
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

// One counter for each kind of trouble that a conversation reports: a closed set of labels.
class TroubleCounters {
 public:
  explicit TroubleCounters(prometheus::Registry& registry);
  // `event`: of ReportTrouble.
  void Count(std::string_view event);

 private:
  std::map<std::string, prometheus::Counter*, std::less<>> by_event_;
};

// Those of the shards are added by AddShardMetrics.
struct WorkerMetrics {
  WorkerMetrics(ProcessRegistry& registry, const WorkerGauges& gauges, std::int64_t capacity);

  EndReasonCounters sessions_ended;
  LostRecords lost;
  StoreMetrics store;
  ToolMetrics tools;
  AssessmentMetrics assessments;
  TroubleCounters troubles;
  prometheus::Counter& attaches_refused;
  prometheus::Counter& audio_frames_dropped;  // Void after a barge-in, cancel or truncate.
  prometheus::Counter& upstream_protocol_errors;
  prometheus::Counter& reloads_refused;
  prometheus::Histogram& upstream_connect_seconds;  // From dialling to the confirmed configuration.
  // From the end of a user's turn to the first audio of the answer.
  prometheus::Histogram& first_audio_seconds;
};

}  // namespace voicebridge::worker

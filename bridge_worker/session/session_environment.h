// What the sessions of a worker share.
#pragma once

#include <string>

#include "bridge_worker/interview/assessment_service.h"
#include "bridge_worker/session/unsaved_records.h"
#include "bridge_worker/store/store_thread.h"
#include "bridge_worker/tools/tool_runner.h"
#include "bridge_worker/upstream/realtime_connection.h"
#include "bridge_worker/worker_metrics.h"
#include "common/async/task_group.h"
#include "common/config/profiles.h"
#include "common/observability/log.h"

namespace voicebridge {
class SessionIndex;
}

namespace voicebridge::worker {

// Owned by the worker, outlives all sessions.
struct SessionEnvironment {
  Logger& logger;
  WorkerMetrics& metrics;
  WorkerGauges& gauges;
  const Profiles& profiles;
  RealtimeConnector& connector;
  SessionIndex& index;
  StoreThread& store;
  UnsavedRecords& unsaved;
  // Whether the store outlives the process: then every session leaves its items there.
  bool store_is_lasting;
  std::string worker_id;  // Of this start of the process.
  AssessmentService& assessments;
  ToolEnvironment tools;
  TaskGroup::OnFailure on_task_failure;
};

}  // namespace voicebridge::worker

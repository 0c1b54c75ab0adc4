// The metrics that any process of ours has: what it is, what it uses, what its tasks are.
#pragma once

#include <string>

#include "common/core/live_tasks.h"
#include "common/observability/metrics.h"

namespace voicebridge {

// `prefix`: as in voicebridge_worker. What every process has bears the names that Prometheus's own
// client libraries use. The tasks outlive the registry.
void AddProcessMetrics(ProcessRegistry& registry, const std::string& prefix,
                       const LiveTasks& tasks);

}  // namespace voicebridge

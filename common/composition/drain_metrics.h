// The metrics of a drain, which both processes have.
#pragma once

#include <string>

#include "common/drain/drain_state.h"
#include "common/observability/metrics.h"

namespace voicebridge {

// `prefix`: as in voicebridge_worker. The state outlives the registry.
void AddDrainMetrics(ProcessRegistry& registry, const std::string& prefix, const DrainState& state);

}  // namespace voicebridge

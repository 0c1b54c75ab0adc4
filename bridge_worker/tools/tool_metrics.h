// How calls of tools end, for the operator.
#pragma once

#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <cstddef>

#include "bridge_worker/tools/webhook.h"
#include "common/core/time.h"

namespace voicebridge::worker {

// May be used on any thread.
class ToolMetrics {
 public:
  explicit ToolMetrics(prometheus::Registry& registry);

  void ObserveCall(ToolResult::Outcome outcome, Duration took) {
    calls_[static_cast<std::size_t>(outcome)]->Observe(ToSeconds(took));
  }
  // The store did not confirm the start, or the process is being drained.
  void CountNotStarted() { not_started_->Observe(0); }

 private:
  std::array<prometheus::Histogram*, 3> calls_{};
  prometheus::Histogram* not_started_;
};

}  // namespace voicebridge::worker

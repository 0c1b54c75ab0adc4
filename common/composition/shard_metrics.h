// The metrics of the shards: loops, sessions by state, frames and queues. Both processes have them.
#pragma once

#include <string>
#include <string_view>

#include "common/observability/metrics.h"
#include "common/runtime/shard_group.h"

namespace voicebridge {

// What the two ways of a frame are called in a process.
struct WayWords {
  std::string_view traffic;  // Of counters: from_clients.
  std::string_view peer;     // Of the label `to`: where the frames of this way are written.
};

struct ShardMetricWords {
  std::string prefix;  // As in voicebridge_worker.
  WayWords up;
  WayWords down;
};

// Before the first scrape; the shards outlive the registry.
void AddShardMetrics(ProcessRegistry& registry, const ShardMetricWords& words, ShardGroup& shards);

}  // namespace voicebridge

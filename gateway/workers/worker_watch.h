// Keeps the worker directory up to date by watching every worker's status.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "common/observability/log.h"
#include "common/runtime/shard.h"
#include "gateway/gateway_metrics.h"
#include "gateway/workers/worker_directory.h"
#include "gateway/workers/worker_link.h"

namespace voicebridge::gateway {

// Lives on the first shard; the views that it publishes are immutable and read by all.
class WorkerWatch {
 public:
  using Views = std::shared_ptr<const std::vector<WorkerView>>;

  WorkerWatch(const std::vector<std::string>& addresses, const WorkerLinks& links, Shard& shard,
              GatewayGauges& gauges, Logger& logger);

  // One task per worker, until the shard's tasks are cancelled.
  void Start();

  // From any thread.
  Views Current() const { return views_.load(); }

 private:
  Awaitable<void> Watch(std::string address);
  Awaitable<void> WatchOnce(const std::string& address);
  void Publish();

  std::vector<std::string> addresses_;
  const WorkerLinks& links_;
  Shard& shard_;
  GatewayGauges& gauges_;
  Logger& logger_;
  WorkerDirectory directory_;
  std::atomic<Views> views_;
};

}  // namespace voicebridge::gateway

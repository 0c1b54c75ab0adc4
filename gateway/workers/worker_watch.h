// Keeps the worker directory up to date by watching every worker's status.
#pragma once

#include <atomic>
#include <memory>
#include <set>
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

  WorkerWatch(const std::vector<std::string>& addresses, WorkerLinks& links, Shard& shard,
              GatewayGauges& gauges, Logger& logger);

  // One task per worker, until it is listed no more and lost, or the shard's tasks are cancelled.
  // Before the shard runs.
  void Start();

  // The workers as they are listed from now on. After Start, on the shard.
  void Follow(const std::vector<std::string>& addresses);

  // From any thread.
  Views Current() const { return views_.load(); }

 private:
  Awaitable<void> Watch(std::string address);
  Awaitable<void> WatchOnce(const std::string& address);
  Awaitable<void> SayUnreachable(const std::string& address, WorkerStatusReader& reader);
  void Publish();
  void OpenLinks();

  WorkerLinks& links_;
  Shard& shard_;
  GatewayGauges& gauges_;
  Logger& logger_;
  WorkerDirectory directory_;
  std::set<std::string> watched_;
  std::set<std::string> unreachable_;  // Said once, until the worker is seen again.
  std::atomic<Views> views_;
};

}  // namespace voicebridge::gateway

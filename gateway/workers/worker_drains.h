// The workers' part of a fleet drain: every worker is asked at once, and what it answers is posted.
#pragma once

#include <functional>
#include <string>

#include "common/drain/drain_machine.h"
#include "common/observability/log.h"
#include "common/runtime/shard.h"
#include "gateway/gateway_metrics.h"
#include "gateway/workers/worker_link.h"

namespace voicebridge::gateway {

// Owned by the gateway; its calls live on one shard and end with the budget.
class WorkerDrains {
 public:
  // From any thread.
  using Post = std::function<void(DrainEvent)>;

  WorkerDrains(const WorkerLinks& links, Shard& shard, GatewayGauges& gauges, Logger& logger,
               Post post)
      : links_(links), shard_(shard), gauges_(gauges), logger_(logger), post_(std::move(post)) {}

  // From any thread. Posts WorkersCalled, then a WorkerDrained or WorkerUnreachable for each.
  void Call(const DrainWorkers& order);

 private:
  Awaitable<void> DrainOne(std::string address, v1::DrainRequest request, Deadline deadline,
                           int round);

  const WorkerLinks& links_;
  Shard& shard_;
  GatewayGauges& gauges_;
  Logger& logger_;
  const Post post_;
};

}  // namespace voicebridge::gateway

#include "gateway/workers/worker_drains.h"

#include <boost/asio/post.hpp>
#include <memory>
#include <utility>
#include <vector>

#include "common/core/scoped_count.h"
#include "common/rpc/wire_time.h"

namespace voicebridge::gateway {

void WorkerDrains::Call(const DrainWorkers& order) {
  v1::DrainRequest request;
  request.set_mode(order.mode);
  request.set_scope(v1::DrainRequest::SELF);
  request.set_then(order.exit ? v1::DrainRequest::EXIT : v1::DrainRequest::STAY);
  request.set_reason("fleet");
  *request.mutable_budget() = ToWire(order.budget);
  const Deadline deadline =
      Deadline::After(shard_.clock().Now(), order.budget + DrainPlan::kNetworkReserve);
  net::post(shard_.executor(), [this, request = std::move(request), deadline, round = order.round] {
    std::vector<std::string> addresses = links_.addresses();
    post_(WorkersCalled{addresses, round});
    for (std::string& address : addresses) {
      if (!shard_.tasks().TrySpawn("drain worker", DrainOne(address, request, deadline, round))) {
        post_(WorkerUnreachable{std::move(address), round});
      }
    }
  });
}

Awaitable<void> WorkerDrains::DrainOne(std::string address, v1::DrainRequest request,
                                       Deadline deadline, int round) {
  const ScopedCount count(gauges_.calls);
  const std::unique_ptr<WorkerDrainReader> reader = links_.PrepareDrain(address, request, shard_);
  const bool started = co_await reader->Start(deadline);
  v1::DrainProgress* progress = nullptr;
  if (started) {
    progress = co_await reader->Read(deadline);
  }
  while (progress != nullptr && !progress->has_summary()) {
    progress = co_await reader->Read(deadline);
  }
  if (progress != nullptr) {
    logger_.Info("worker.drained", {{"worker", address}});
    post_(WorkerDrained{std::move(address), std::move(*progress->mutable_summary()), round});
    co_return;
  }
  logger_.Warning("worker.unreachable", {{"worker", address}});
  post_(WorkerUnreachable{std::move(address), round});
}

}  // namespace voicebridge::gateway

#include "bridge_worker/session/bridge_service.h"

#include <boost/asio/post.hpp>
#include <utility>

#include "common/async/first_to_finish.h"
#include "common/core/ids.h"
#include "common/core/limits.h"
#include "common/core/scoped_count.h"
#include "common/rpc/wire_time.h"

namespace voicebridge::worker {
namespace {

// Gateways take a worker for lost after 2 s of silence.
constexpr Duration kStatusInterval = milliseconds(500);

}  // namespace

std::string BridgeService::NewStartId() { return NewId("start"); }

BridgeService::BridgeService(SessionEnvironment& environment, AssessmentQueries& assessments,
                             DrainControl& drain)
    : environment_(environment),
      reports_(service_, assessments, environment.gauges.drain.flag(), environment.gauges.calls),
      drains_(service_, drain, environment.gauges.calls) {}

void BridgeService::Start(ShardGroup& shards) {
  for (std::size_t i = 0; i < shards.size(); ++i) {
    Shard& shard = shards[i];
    auto& queue = static_cast<grpc::ServerCompletionQueue&>(shard.queue());
    Lane& lane = *lanes_.emplace_back(std::make_unique<Lane>(shard, queue));
    shard.tasks().TrySpawn("accept converse", AcceptConverse(lane));
    shard.tasks().TrySpawn("accept watch", AcceptWatch(lane));
    reports_.Start({shard.executor(), shard.tasks(), shard.clock(), queue});
    drains_.Start({shard.executor(), shard.tasks(), shard.clock(), queue});
  }
}

void BridgeService::NotifyStatusChanged() {
  for (const auto& lane : lanes_) {
    net::post(lane->shard.executor(), [target = lane.get()] {
      ++target->changes;
      target->status_changed.Notify();
    });
  }
}

// --- Converse -----------------------------------------------------------------------------------

Awaitable<void> BridgeService::AcceptConverse(Lane& lane) {
  const auto request = [this, &lane](grpc::ServerContext* context, GatewayStream::Call* call,
                                     void* tag) {
    service_.RequestConverse(context, call, &lane.queue, &lane.queue, tag);
  };
  while (true) {
    auto stream = co_await GatewayStream::Accept(lane.shard.executor(), request);
    if (stream == nullptr) {
      co_return;
    }
    lane.shard.tasks().TrySpawn("converse", Converse(lane, std::move(stream)));
  }
}

Awaitable<void> BridgeService::Converse(Lane& lane, std::unique_ptr<GatewayStream> stream) {
  const ScopedCount count(environment_.gauges.calls);
  auto driver = std::make_unique<SessionDriver>(environment_, lane.shard, std::move(stream));
  co_await driver->Run();
  if (!driver->finished()) {
    static_cast<void>(driver.release());  // One leaked session instead of a process that ends; its
                                          // log line says so.
  }
}

// --- WatchStatus --------------------------------------------------------------------------------

Awaitable<void> BridgeService::AcceptWatch(Lane& lane) {
  const auto arm = [this, &lane](grpc::ServerContext* context, v1::WatchStatusRequest* request,
                                 WatchStream::Call* call, void* tag) {
    service_.RequestWatchStatus(context, request, call, &lane.queue, &lane.queue, tag);
  };
  while (true) {
    auto stream = co_await WatchStream::Accept(lane.shard.executor(), arm);
    if (stream == nullptr) {
      co_return;
    }
    lane.shard.tasks().TrySpawn("watch status", Watch(lane, std::move(stream)));
  }
}

Awaitable<void> BridgeService::Watch(Lane& lane, std::unique_ptr<WatchStream> stream) {
  const ScopedCount count(environment_.gauges.calls);
  Clock& clock = lane.shard.clock();
  bool cancelled = false;
  while (!stream->gone() && !cancelled) {
    const std::uint64_t known = lane.changes;
    const bool written =
        co_await stream->Write(CurrentStatus(), Deadline::After(clock.Now(), limits::kCloseMax));
    if (!written) {
      co_return;
    }
    co_await RunUntil(clock, Deadline::After(clock.Now(), kStatusInterval),
                      lane.WaitUntilChanged(known));
    cancelled = co_await IsCancelled();
  }
}

v1::WorkerStatus BridgeService::CurrentStatus() {
  const SessionIndex& index = environment_.index;
  v1::WorkerStatus status;
  const bool full = index.capacity() > 0 && index.size() >= index.capacity();
  status.set_state(index.closed() ? v1::WorkerStatus::DRAINING
                   : full         ? v1::WorkerStatus::FULL
                                  : v1::WorkerStatus::SERVING);
  status.set_sessions(static_cast<std::uint32_t>(index.size()));
  status.set_capacity(static_cast<std::uint32_t>(index.capacity()));
  if (index.closed()) {
    *status.mutable_drain_time_left() =
        ToWire(environment_.gauges.drain.TimeLeft(lanes_.front()->shard.clock().Now()));
  }
  status.set_start_id(start_id_);
  status.set_number(++status_number_);
  return status;
}

}  // namespace voicebridge::worker

// The BridgeWorker service on the completion queues of the shards.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bridge_worker/session/assessment_queries.h"
#include "bridge_worker/session/fleet_drain_calls.h"
#include "bridge_worker/session/report_calls.h"
#include "bridge_worker/session/session_driver.h"
#include "common/async/event.h"
#include "common/runtime/shard_group.h"
#include "voicebridge/v1/bridge.grpc.pb.h"

namespace voicebridge::worker {

// Accepts calls on every shard. Owned by the worker, registered with its server before the server
// starts; Start is called once the shards exist and before they run.
class BridgeService {
 public:
  // `assessments` answers for GetReport and RetryAssessment, `drain` for Drain.
  BridgeService(SessionEnvironment& environment, AssessmentQueries& assessments,
                DrainControl& drain);

  grpc::Service& service() { return service_; }

  // Begins to accept on every shard.
  void Start(ShardGroup& shards);

  // WatchStatus streams push the new state now. From any thread.
  void NotifyStatusChanged();

 private:
  // One shard's accepting end.
  struct Lane {
    Lane(Shard& where, grpc::ServerCompletionQueue& calls)
        : shard(where), queue(calls), status_changed(where.executor()) {}

    Awaitable<void> WaitUntilChanged(std::uint64_t known) {
      const auto changed = [this, known] { return changes != known; };
      co_await status_changed.WaitUntil(changed);
    }

    Shard& shard;
    grpc::ServerCompletionQueue& queue;
    Event status_changed;
    std::uint64_t changes =
        0;  // Of the status; what comes while one is written is pushed after it.
  };
  using WatchStream = ServerWriter<v1::WatchStatusRequest, v1::WorkerStatus>;

  Awaitable<void> AcceptConverse(Lane& lane);
  Awaitable<void> AcceptWatch(Lane& lane);
  Awaitable<void> Converse(Lane& lane, std::unique_ptr<GatewayStream> stream);
  Awaitable<void> Watch(Lane& lane, std::unique_ptr<WatchStream> stream);

  v1::WorkerStatus CurrentStatus();

  SessionEnvironment& environment_;
  v1::BridgeWorker::AsyncService service_;
  ReportCalls reports_;
  FleetDrainCalls drains_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  const std::string start_id_ = NewStartId();
  std::atomic<std::uint64_t> status_number_ = 0;

  static std::string NewStartId();
};

}  // namespace voicebridge::worker

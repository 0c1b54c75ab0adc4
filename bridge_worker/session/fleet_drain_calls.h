// Drain of the BridgeWorker service, on completion queues: what a gateway's fleet drain asks for.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <cstdint>
#include <memory>

#include "common/async/clock.h"
#include "common/async/task_group.h"
#include "common/drain/drain_control.h"
#include "common/rpc/server_stream.h"
#include "voicebridge/v1/bridge.grpc.pb.h"

namespace voicebridge::worker {

// Where calls are accepted and answered; all of it outlives the tasks of the group.
struct DrainLane {
  net::any_io_executor executor;
  TaskGroup& tasks;
  Clock& clock;
  grpc::ServerCompletionQueue& queue;
};

// Owned by the bridge service. Means the same as Admin.Drain.
class FleetDrainCalls {
 public:
  // `calls` counts open ones.
  FleetDrainCalls(v1::BridgeWorker::AsyncService& service, DrainControl& drain,
                  std::atomic<std::int64_t>& calls)
      : service_(service), drain_(drain), calls_(calls) {}

  // Begins to accept on a lane; once per lane, before its thread runs.
  void Start(DrainLane lane);

 private:
  using Call = ServerWriter<v1::DrainRequest, v1::DrainProgress>;
  class Watch;

  Awaitable<void> Accept(DrainLane lane);
  Awaitable<void> Answer(DrainLane lane, std::unique_ptr<Call> call);
  Awaitable<absl::Status> Forward(DrainLane lane, Call& call, Watch& watch);

  v1::BridgeWorker::AsyncService& service_;
  DrainControl& drain_;
  std::atomic<std::int64_t>& calls_;
};

}  // namespace voicebridge::worker

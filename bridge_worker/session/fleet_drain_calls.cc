#include "bridge_worker/session/fleet_drain_calls.h"

#include <boost/asio/post.hpp>
#include <optional>
#include <utility>

#include "common/async/event.h"
#include "common/core/limits.h"
#include "common/core/scoped_count.h"
#include "common/rpc/wire_status.h"
#include "common/rpc/wire_time.h"

namespace voicebridge::worker {

// What the main thread says, brought to the call's executor; its members are used there only.
class FleetDrainCalls::Watch final : public DrainListener,
                                     public std::enable_shared_from_this<Watch> {
 public:
  explicit Watch(net::any_io_executor executor)
      : executor_(std::move(executor)), changed_(executor_) {}

  void OnProgress(const v1::DrainProgress& progress) override {
    net::post(executor_, [self = shared_from_this(), progress] {
      self->progress_ = progress;
      self->changed_.Notify();
    });
  }

  void OnEnd(const absl::Status& status) override {
    net::post(executor_, [self = shared_from_this(), status] {
      self->end_ = status;
      self->changed_.Notify();
    });
  }

  // Until there is news, which the drain brings within its own bounds; or the task is cancelled.
  Awaitable<bool> NextUntilStopped() {
    const auto has_news = [this] { return progress_ || end_; };
    co_return co_await changed_.WaitUntil(has_news);
  }

  std::optional<v1::DrainProgress> TakeProgress() { return std::exchange(progress_, {}); }
  const std::optional<absl::Status>& end() const { return end_; }

 private:
  const net::any_io_executor executor_;
  Event changed_;
  std::optional<v1::DrainProgress> progress_;
  std::optional<absl::Status> end_;
};

void FleetDrainCalls::Start(DrainLane lane) { lane.tasks.TrySpawn("accept drain", Accept(lane)); }

Awaitable<void> FleetDrainCalls::Accept(DrainLane lane) {
  const auto arm = [this, &lane](grpc::ServerContext* context, v1::DrainRequest* request,
                                 Call::Call* call, void* tag) {
    service_.RequestDrain(context, request, call, &lane.queue, &lane.queue, tag);
  };
  while (true) {
    auto call = co_await Call::Accept(lane.executor, arm);
    if (call == nullptr) {
      co_return;
    }
    lane.tasks.TrySpawn("drain", Answer(lane, std::move(call)));
  }
}

Awaitable<void> FleetDrainCalls::Answer(DrainLane lane, std::unique_ptr<Call> call) {
  const ScopedCount count(calls_);
  const Duration budget = FromWire(call->request().budget());
  absl::StatusOr<DrainCommand> command =
      drain_.Check(call->request(), call->request().has_budget() ? &budget : nullptr);
  absl::Status status = command.status();
  if (status.ok()) {
    const auto watch = std::make_shared<Watch>(lane.executor);
    drain_.Drain(*std::move(command), watch);
    status = co_await Forward(lane, *call, *watch);
    co_await call->Finish(ToGrpc(status), Deadline::After(lane.clock.Now(), limits::kCloseMax));
    drain_.Release(watch.get());
    co_return;
  }
  co_await call->Finish(ToGrpc(status), Deadline::After(lane.clock.Now(), limits::kCloseMax));
}

// A gateway that is gone or does not read misses what follows; the drain goes on.
Awaitable<absl::Status> FleetDrainCalls::Forward(DrainLane lane, Call& call, Watch& watch) {
  while (true) {
    const bool has_news = co_await watch.NextUntilStopped();
    if (!has_news) {
      co_return absl::CancelledError("the process is stopping");
    }
    if (std::optional<v1::DrainProgress> progress = watch.TakeProgress()) {
      const bool written = co_await call.Write(
          *std::move(progress), Deadline::After(lane.clock.Now(), limits::kCloseMax));
      if (!written) {
        co_return absl::CancelledError("the gateway does not read");
      }
    } else {
      co_return *watch.end();
    }
  }
}

}  // namespace voicebridge::worker

#include "gateway/workers/worker_watch.h"

#include <algorithm>

namespace voicebridge::gateway {
namespace {

constexpr Duration kRetryAfter = milliseconds(200);
// Of a call that has ended already.
constexpr Duration kFinishMax = seconds(1);

}  // namespace

WorkerWatch::WorkerWatch(const std::vector<std::string>& addresses, WorkerLinks& links,
                         Shard& shard, GatewayGauges& gauges, Logger& logger)
    : links_(links),
      shard_(shard),
      gauges_(gauges),
      logger_(logger),
      directory_(addresses),
      views_(directory_.Snapshot()) {
  OpenLinks();
}

void WorkerWatch::Start() {
  const Views views = directory_.Snapshot();
  for (const WorkerView& worker : *views) {
    if (watched_.insert(worker.address).second) {
      shard_.tasks().TrySpawn("watch worker", Watch(worker.address));
    }
  }
}

void WorkerWatch::Follow(const std::vector<std::string>& addresses) {
  directory_.OnList(addresses);
  Publish();
  OpenLinks();
  Start();
}

Awaitable<void> WorkerWatch::Watch(std::string address) {
  bool go_on = true;
  while (go_on) {
    co_await WatchOnce(address);
    directory_.OnWatchBroken(address);
    Publish();
    const bool awake =
        co_await shard_.clock().SleepUntil(Deadline::After(shard_.clock().Now(), kRetryAfter));
    go_on = awake && directory_.Knows(address);
  }
  watched_.erase(address);
  unreachable_.erase(address);
  OpenLinks();
}

Awaitable<void> WorkerWatch::WatchOnce(const std::string& address) {
  const std::unique_ptr<WorkerStatusReader> reader = links_.PrepareWatch(address, shard_);
  Clock& clock = shard_.clock();
  ++gauges_.calls;
  bool seen = false;
  const bool started = co_await reader->Start(Deadline::After(clock.Now(), kWorkerSilenceMax));
  const v1::WorkerStatus* status = nullptr;
  if (started) {
    status = co_await reader->Read(Deadline::After(clock.Now(), kWorkerSilenceMax));
  }
  while (status != nullptr && directory_.Knows(address)) {
    if (!seen) {
      seen = true;
      unreachable_.erase(address);
      logger_.Info("worker.seen", {{"worker", address},
                                   {"sessions", status->sessions()},
                                   {"capacity", status->capacity()}});
    }
    directory_.OnStatus(address, *status, clock.Now());
    Publish();
    status = co_await reader->Read(directory_.SilentAt(address));
  }
  if (!seen && unreachable_.insert(address).second) {
    co_await SayUnreachable(address, *reader);
  }
  --gauges_.calls;
  if (seen && !gauges_.drain.draining()) {
    logger_.Warning("worker.lost", {{"worker", address}});
  }
}

// Nobody listens there, it is silent, or one side does not believe the other's certificate.
Awaitable<void> WorkerWatch::SayUnreachable(const std::string& address,
                                            WorkerStatusReader& reader) {
  const grpc::Status status =
      co_await reader.Finish(Deadline::After(shard_.clock().Now(), kFinishMax));
  logger_.Warning("worker.unreachable", {{"worker", address}, {"reason", status.error_message()}});
}

void WorkerWatch::Publish() {
  const Views views = directory_.Snapshot();
  gauges_.workers_serving.store(std::count_if(
      views->begin(), views->end(),
      [](const WorkerView& worker) { return worker.state == WorkerState::kServing; }));
  views_.store(views);
}

// Also to workers that are listed no more, for as long as they are known.
void WorkerWatch::OpenLinks() {
  std::vector<std::string> addresses;
  const Views views = directory_.Snapshot();
  for (const WorkerView& worker : *views) {
    addresses.push_back(worker.address);
  }
  links_.Set(addresses);
}

}  // namespace voicebridge::gateway

#include "bridge_worker/session/worker_background.h"

#include <boost/asio/post.hpp>
#include <functional>
#include <utility>

namespace voicebridge::worker {
namespace {

constexpr Duration kLook = milliseconds(2);

std::vector<std::string> Named(std::size_t count, const char* what) {
  return std::vector<std::string>(count, what);
}

}  // namespace

void WorkerBackground::Stop(Deadline deadline, Done done) {
  net::post(shard_.executor(), [this, deadline, done = std::move(done)]() mutable {
    shard_.tasks().TrySpawn("stop background", DoStop(deadline, std::move(done)));
  });
}

Awaitable<void> WorkerBackground::DoStop(Deadline deadline, Done done) {
  const std::size_t lost = co_await assessments_.Stop(deadline);
  done(Named(lost, "assessment"));
}

void WorkerBackground::Save(Deadline deadline, Done done) {
  net::post(shard_.executor(), [this, deadline, done = std::move(done)]() mutable {
    shard_.tasks().TrySpawn("save records", DoSave(deadline, std::move(done)));
  });
}

Awaitable<void> WorkerBackground::DoSave(Deadline deadline, Done done) {
  Clock& clock = shard_.clock();
  while (records_.load() > 0 && !deadline.HasPassed(clock.Now())) {
    co_await clock.SleepUntil(Deadline::After(clock.Now(), kLook));
  }
  std::function<absl::Status(Store&)> nothing = [](Store&) { return absl::OkStatus(); };
  const absl::Status flushed = co_await store_.Do<absl::Status>(std::move(nothing), 0, deadline);
  done(flushed.ok() ? Named(static_cast<std::size_t>(records_.load()), "session") : Unsaved());
}

std::vector<std::string> WorkerBackground::Unsaved() {
  return Named(static_cast<std::size_t>(records_.load()) + store_.pending(), "record");
}

}  // namespace voicebridge::worker

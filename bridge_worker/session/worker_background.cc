#include "bridge_worker/session/worker_background.h"

#include <boost/asio/post.hpp>
#include <functional>
#include <utility>

#include "bridge_worker/store/retention.h"
#include "common/core/status.h"
#include "common/drain/drain_plan.h"

namespace voicebridge::worker {

WorkerBackground::WorkerBackground(Parts parts)
    : parts_(std::move(parts)),
      reaper_(parts_.executor, parts_.live_tasks, parts_.on_task_failure) {}

void WorkerBackground::Start() {
  parts_.assessments.Start();
  StartRetention();
}

void WorkerBackground::StartRetention() {
  if (parts_.retention > Duration::zero() && reaper_.empty()) {
    reaper_.TrySpawn("retention",
                     KeepRetention(parts_.store, parts_.retention, parts_.clock, parts_.logger));
  }
}

void WorkerBackground::Hold() {
  parts_.unsaved.ForgetLost();
  parts_.assessments.Hold();
}

void WorkerBackground::Resume() {
  parts_.assessments.Resume();
  net::post(parts_.executor, [this] { StartRetention(); });
}

void WorkerBackground::Stop(Deadline deadline, Done done) {
  net::post(parts_.executor, [this, deadline, done = std::move(done)]() mutable {
    parts_.tasks.TrySpawn("stop background", DoStop(deadline, std::move(done)));
  });
}

// The reaper comes to an end meanwhile; a pass that the database is busy with is left to it.
Awaitable<void> WorkerBackground::DoStop(Deadline deadline, Done done) {
  const TimePoint begun = parts_.clock.Now();
  const bool reaped = !reaper_.empty();
  reaper_.CancelAll();
  std::vector<std::string> not_stored = co_await parts_.assessments.Stop(deadline);
  const TimePoint now = parts_.clock.Now();
  parts_.logger.Info("assessments.stopped",
                     {{"not_stored", not_stored.size()}, {"ms", ToSeconds(now - begun) * 1000}});
  co_await reaper_.Join(parts_.clock,
                        Deadline::After(now, DrainPlan::kReaperMax).EarlierOf(deadline));
  if (reaped) {
    const Duration took = parts_.clock.Now() - begun;
    parts_.logger.Info("retention.stopped",
                       {{"abandoned", !reaper_.empty()}, {"ms", ToSeconds(took) * 1000}});
  }
  done(std::move(not_stored));
}

void WorkerBackground::Save(Deadline deadline, Done done) {
  net::post(parts_.executor, [this, deadline, done = std::move(done)]() mutable {
    parts_.tasks.TrySpawn("save records", DoSave(deadline, std::move(done)));
  });
}

// Jobs run in the order in which they were given: when the last has run, all have.
Awaitable<void> WorkerBackground::DoSave(Deadline deadline, Done done) {
  const bool written = co_await parts_.unsaved.WaitUntilEmpty(parts_.clock, deadline);
  std::function<absl::Status(Store&)> last = [](Store&) { return absl::OkStatus(); };
  const absl::Status flushed = co_await parts_.store.Do<absl::Status>(std::move(last), 0, deadline);
  std::vector<std::string> not_stored = parts_.unsaved.names();
  if (written && !flushed.ok()) {
    not_stored.push_back(fmt::format("{} jobs of the store", parts_.store.pending()));
  }
  done(std::move(not_stored));
}

}  // namespace voicebridge::worker

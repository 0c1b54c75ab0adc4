#include "common/composition/process_drain.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "common/core/status.h"

namespace voicebridge {
namespace {

// For tasks to see that they were cancelled, also when a forced drain has used up its time.
constexpr Duration kCancelMax = milliseconds(30);
// A service whose first word is lost is started again; all later ones can be missed.
constexpr Duration kFirstWordMax = seconds(1);
// For the end of the process to be seen.
constexpr Duration kExitSeen = seconds(2);

TimePoint Now() { return SystemClock().Now(); }

}  // namespace

ProcessDrain::ProcessDrain(Parts parts) : parts_(std::move(parts)) {
  parts_.index.SetOnLeft([this](const SessionHandle& handle) {
    if (parts_.state.draining()) {
      parts_.coordinator.Post(SessionLeft{handle.session_id, handle.end_reason, handle.tasks_left});
    }
  });
}

ExitCode ProcessDrain::Run() {
  TellServiceManager("READY=1\nSTATUS=serving", kFirstWordMax);
  return Leave(parts_.coordinator.Run(*this));
}

// --- what the machine wants done ----------------------------------------------------------------

void ProcessDrain::RefuseAdmission() {
  parts_.index.Close();
  parts_.admin.SetServing(false);
  parts_.notify_status();
  parts_.background.Hold();
  parts_.index.ListIds([this](std::vector<std::string> ids) {
    parts_.coordinator.Post(SessionsListed{std::move(ids)});
  });
  TellServiceManager(fmt::format("STATUS=draining, {} sessions", live_sessions()),
                     Duration::zero());
}

// Not earlier: from then on systemd kills what outlives its timeout. That may be shorter than this
// budget, and is extended in a message of its own, once it runs.
void ProcessDrain::AnnounceExit(Deadline end) {
  TellServiceManager("STOPPING=1", Duration::zero());
  const Duration left = end.Remaining(Now()) + kExitSeen;
  TellServiceManager(
      fmt::format("EXTEND_TIMEOUT_USEC={}",
                  std::chrono::duration_cast<std::chrono::microseconds>(left).count()),
      Duration::zero());
}

void ProcessDrain::AnnounceDrain(Deadline deadline) { parts_.index.AnnounceDrainToAll(deadline); }

void ProcessDrain::CallWorkers(const DrainWorkers& order) { parts_.call_workers(order); }

void ProcessDrain::StopBackground(Deadline deadline) {
  parts_.background.Stop(deadline, [this](std::vector<std::string> not_stored) {
    parts_.coordinator.Post(BackgroundStopped{std::move(not_stored)});
  });
}

void ProcessDrain::EndSessions(Deadline deadline) {
  parts_.index.EndAll(v1::END_REASON_DRAINING, deadline);
}

void ProcessDrain::ForceSessions() { parts_.index.ForceAll(); }

void ProcessDrain::SaveRecords(Deadline deadline) {
  parts_.background.Save(deadline, [this](std::vector<std::string> not_stored) {
    parts_.coordinator.Post(RecordsSaved{std::move(not_stored)});
  });
}

std::vector<std::string> ProcessDrain::Unsaved() { return parts_.background.Unsaved(); }

void ProcessDrain::AdmitAgain() {
  parts_.background.Resume();
  parts_.index.Reopen();
  parts_.admin.SetServing(true);
  parts_.notify_status();
  TellServiceManager("STATUS=serving", Duration::zero());
}

std::int64_t ProcessDrain::live_tasks() const { return parts_.tasks.total(); }

std::int64_t ProcessDrain::live_sessions() const { return parts_.index.size(); }

// --- the last steps -----------------------------------------------------------------------------

ExitCode ProcessDrain::Leave(const DrainCoordinator::End& end) {
  parts_.admin.Stop();
  const Deadline deadline = Deadline::At(std::max(end.plan.flush().when(), Now() + kCancelMax));
  const std::vector<std::string> unfinished = parts_.shards.SettleTasks(deadline);
  for (const std::string& name : unfinished) {
    parts_.logger.Warning("task.abandoned", {{"task", name}});
  }
  bool stopped = false;
  if (unfinished.empty()) {
    // A task that is left may hold a call, and the server would wait for it.
    parts_.shut_down_server();
    stopped = parts_.shards.Stop(deadline);
  }
  const ExitCode code = end.forced || !stopped ? ExitCode::kDrainForced : ExitCode::kClean;
  NameThreadsLeft();
  parts_.logger.Info("shutdown.end", {{"ms", ToSeconds(Now() - end.plan.start()) * 1000},
                                      {"exit_code", static_cast<int>(code)},
                                      {"pid", ::getpid()}});
  parts_.logger.Flush(deadline);
  return code;
}

// A library that does not come back has cost nobody anything by itself: what waited for it has said
// what became of it.
void ProcessDrain::NameThreadsLeft() {
  parts_.library_calls.ForEachKind([this](std::string_view name, std::int64_t count) {
    parts_.logger.Warning("thread.left", {{"name", name}, {"count", count}});
  });
}

void ProcessDrain::TellServiceManager(std::string_view lines, Duration patience) {
  if (const absl::Status told = service_manager_.Tell(lines, patience); !told.ok()) {
    parts_.logger.Warning("service_manager.not_told", {{"what", lines}, {"why", Message(told)}});
  }
}

}  // namespace voicebridge

#include "common/composition/process_drain.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

namespace voicebridge {
namespace {

TimePoint Now() { return std::chrono::steady_clock::now(); }

// False: some are left.
bool WaitUntilNoSessions(const SessionIndex& index, Deadline deadline) {
  constexpr int kLookMs = 2;
  while (index.size() > 0) {
    if (deadline.HasPassed(Now())) {
      return false;
    }
    ::poll(nullptr, 0, kLookMs);
  }
  return true;
}

}  // namespace

ExitCode DrainProcess(DrainedProcess& process, const DrainPlan& plan, int signal) {
  const TimePoint begun = Now();
  process.draining.store(true);
  process.index.Close();
  process.admin.SetServing(false);
  process.logger.Info("shutdown.begin",
                      {{"signal", signal},
                       {"sessions", process.index.size()},
                       {"deadline_ms", ToSeconds(plan.end().Remaining(begun)) * 1000}});
  process.on_draining();
  process.index.EndAll(v1::END_REASON_DRAINING, plan.force());
  const bool settled = WaitUntilNoSessions(process.index, plan.force());
  const std::int64_t forced = process.index.size();
  process.admin.Stop();
  const std::size_t lost = process.settle_background(plan.force());
  const std::vector<std::string> unfinished = process.shards.SettleTasks(plan.flush());
  process.shut_down_server();
  const bool stopped = process.shards.Stop(plan.flush());
  for (const std::string& name : unfinished) {
    process.logger.Warning("task.abandoned", {{"task", name}});
  }
  const bool clean = settled && stopped && unfinished.empty() && lost == 0;
  const ExitCode code = clean ? ExitCode::kClean : ExitCode::kDrainForced;
  process.logger.Info("shutdown.end", {{"ms", ToSeconds(Now() - begun) * 1000},
                                       {"forced", forced},
                                       {"not_stored", lost},
                                       {"exit_code", static_cast<int>(code)},
                                       {"pid", ::getpid()}});
  process.logger.Flush();
  return code;
}

void WaitForSignal(const Watchdog& watchdog) {
  pollfd signal{watchdog.signal_fd(), POLLIN, 0};
  while (watchdog.signal() == 0) {
    ::poll(&signal, 1, -1);
  }
}

}  // namespace voicebridge

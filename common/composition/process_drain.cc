#include "common/composition/process_drain.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

namespace voicebridge {
namespace {

TimePoint Now() { return std::chrono::steady_clock::now(); }

enum class Settled { kAll, kForced, kSecondSignal };

// The main thread waits for signals all its life; what it waits for besides is a counter.
Settled WaitUntilNoSessions(const SessionIndex& index, Deadline deadline,
                            const StopSignals& signals) {
  constexpr Duration kLook = milliseconds(2);
  while (index.size() > 0) {
    const Duration left = deadline.Remaining(Now());
    if (left == Duration::zero()) {
      return Settled::kForced;
    }
    if (signals.WaitFor(std::min<Duration>(left, kLook))) {
      return Settled::kSecondSignal;
    }
  }
  return Settled::kAll;
}

ExitCode CodeOf(Settled settled, bool everything_ended) {
  if (settled == Settled::kSecondSignal) {
    return ExitCode::kSecondSignal;
  }
  return settled == Settled::kAll && everything_ended ? ExitCode::kClean : ExitCode::kDrainForced;
}

}  // namespace

ExitCode DrainProcess(DrainedProcess& process, const DrainPlan& plan, int signal,
                      const StopSignals& signals) {
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
  const Settled settled = WaitUntilNoSessions(process.index, plan.force(), signals);
  const std::int64_t forced = process.index.size();
  process.admin.Stop();
  const std::size_t lost = process.settle_background(plan.force());
  const std::vector<std::string> unfinished = process.shards.SettleTasks(plan.flush());
  process.shut_down_server();
  const bool stopped = process.shards.Stop(plan.flush());
  for (const std::string& name : unfinished) {
    process.logger.Warning("task.abandoned", {{"task", name}});
  }
  const ExitCode code = CodeOf(settled, stopped && unfinished.empty() && lost == 0);
  process.logger.Info("shutdown.end", {{"ms", ToSeconds(Now() - begun) * 1000},
                                       {"forced", forced},
                                       {"not_stored", lost},
                                       {"exit_code", static_cast<int>(code)},
                                       {"pid", ::getpid()}});
  process.logger.Flush();
  return code;
}

}  // namespace voicebridge

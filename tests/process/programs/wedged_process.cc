// A process that gets stuck as it is told to, made of what ends the gateway and the worker.
//
//   wedged-process WEDGE BUDGET_MS
//
// It prints `wedged` once it is. WEDGE: none, start (before it serves), main, shard, store,
// allocator.
#include <malloc.h>
#include <poll.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "common/composition/background_work.h"
#include "common/composition/process_drain.h"
#include "common/drain/drain_plan.h"
#include "common/process/leave.h"
#include "common/process/signals.h"

namespace voicebridge::test {
namespace {

struct Gauges {
  LiveTasks tasks;
  LiveTasks library_calls;
  LiveSessions sessions;
  DrainState drain;
};

[[noreturn]] void BeStuck() {
  constexpr std::string_view kWord = "wedged\n";
  [[maybe_unused]] const ssize_t written = ::write(STDOUT_FILENO, kWord.data(), kWord.size());
  while (true) {
    ::poll(nullptr, 0, -1);
  }
}

// A thread that never comes back holds what the C library allocates from: it prints its figures
// under that lock, to a stream that does not take them.
void HoldTheAllocator() {
  cookie_io_functions_t functions{};
  functions.write = [](void*, const char*, std::size_t) -> ssize_t { BeStuck(); };
  FILE* const stream = ::fopencookie(nullptr, "w", functions);
  std::setvbuf(stream, nullptr, _IONBF, 0);
  stderr = stream;
  std::thread(::malloc_stats).detach();
}

// A store whose only thread is in a call that never returns.
class StuckStore final : public BackgroundWork {
 public:
  explicit StuckStore(LiveTasks& library_calls) {
    std::thread([&library_calls] {
      const ScopedTask counted(library_calls, "store");
      BeStuck();
    }).detach();
  }

  void Hold() override {}
  void Stop(Deadline, Done done) override { done({}); }
  void Save(Deadline, Done) override {}
  std::vector<std::string> Unsaved() override { return {"sess_unsaved"}; }
  void Resume() override {}
};

std::unique_ptr<ShardGroup> MakeShards(Gauges& gauges) {
  std::vector<std::unique_ptr<Shard>> shards;
  shards.push_back(std::make_unique<Shard>(std::make_unique<grpc::CompletionQueue>(), gauges.tasks,
                                           [](std::string_view, const std::string&) {}));
  return std::make_unique<ShardGroup>(std::move(shards));
}

// Everything lives until _exit; in static pointers, so that a leak check finds it.
ExitCode Serve(std::string_view wedge, Duration budget, Gauges& gauges, Watchdog& watchdog) {
  static Logger& logger = *MakeLogger("probe", LogLevel::kInfo).release();
  static ShardGroup& shards = *MakeShards(gauges).release();
  static auto& index = *new SessionIndex(shards.first().executor(), 0, gauges.sessions);
  static auto& coordinator =
      *new DrainCoordinator(DrainRole::kWorker, budget, watchdog, gauges.drain, logger);
  static AdminServer& admin = *AdminServer::Start(
                                   "127.0.0.1:0", [] { return v1::ProcessStatus(); }, nullptr,
                                   &coordinator, grpc::InsecureServerCredentials())
                                   .value()
                                   .release();
  static BackgroundWork* const background =
      wedge == "store" ? static_cast<BackgroundWork*>(new StuckStore(gauges.library_calls))
                       : new NoBackgroundWork;
  static auto& drain = *new ProcessDrain({logger, coordinator, gauges.drain, index, shards, admin,
                                          gauges.tasks, gauges.library_calls, *background, [] {},
                                          [](const DrainWorkers&) {}, [] {}});
  watchdog.Serve(DrainPlan::WatchdogDelay(budget));
  shards.Start();
  if (wedge == "main") {
    BeStuck();
  } else if (wedge == "shard") {
    net::post(shards.first().executor(), [] { BeStuck(); });
  } else if (wedge == "allocator") {
    HoldTheAllocator();
  } else if (wedge == "none") {
    std::puts("not wedged");
    std::fflush(stdout);
  }
  return drain.Run();
}

}  // namespace
}  // namespace voicebridge::test

int main(int argc, char** argv) {
  using namespace voicebridge;
  const StopSignals signals;
  ::setenv("GRPC_POLL_STRATEGY", "poll", 0);
  if (argc != 3) {
    return static_cast<int>(ExitCode::kBadFlags);
  }
  static test::Gauges gauges;
  static Watchdog watchdog({"probe", gauges.tasks, gauges.sessions, gauges.library_calls});
  gauges.tasks.Add("read probe");
  gauges.sessions.TryReserve(0);
  gauges.sessions.Show(0, "sess_probe");
  const std::string_view wedge = argv[1];
  if (wedge == "start") {
    test::BeStuck();
  }
  Leave(test::Serve(wedge, milliseconds(std::atoi(argv[2])), gauges, watchdog));
}

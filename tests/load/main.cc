// voicebridge-load: puts sessions on a gateway, or on anything else that relays the Realtime
// protocol, and says what became of every frame and what it cost. `voicebridge-load upstream` is
// the echoing upstream that such a run needs.
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string_view>

#include "common/config/flags.h"
#include "common/core/status.h"
#include "common/process/exit_code.h"
#include "common/process/listening.h"
#include "tests/load/echo_upstream.h"
#include "tests/load/frame_load.h"
#include "tests/load/turn_load.h"

namespace voicebridge::load {
namespace {

constexpr std::string_view kUsage =
    R"(voicebridge-load [flags]                        a load, at the end one line of JSON
voicebridge-load upstream --listen=127.0.0.1:0  an upstream that echoes audio; runs until it is told to stop

Exit codes of a load: 0 nothing was lost or changed, 1 unknown flags, 2 wrong values of flags,
5 the run went wrong: what and which sessions is on standard error.)";
constexpr int kRunFailed = 5;

// Whoever waits for the loop is woken by SIGTERM and SIGINT.
class StopEvents final : private EventHandler {
 public:
  explicit StopEvents(EventLoop& loop) {
    sigset_t signals;
    ::sigemptyset(&signals);
    ::sigaddset(&signals, SIGTERM);
    ::sigaddset(&signals, SIGINT);
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
    fd_ = ::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    loop.Watch(fd_, EPOLLIN, *this);
  }
  ~StopEvents() override { ::close(fd_); }
  bool stopped() const { return stopped_; }

 private:
  void OnEvents(std::uint32_t) override { stopped_ = true; }

  int fd_ = -1;
  bool stopped_ = false;
};

int Complain(const absl::Status& status) {
  std::fprintf(stderr, "voicebridge-load: %s\n", Message(status).c_str());
  return static_cast<int>(ExitCode::kBadConfiguration);
}

int RunUpstream() {
  EventLoop loop;
  const StopEvents stop(loop);
  EchoUpstream upstream(loop);
  const auto address = upstream.Listen(UpstreamListenAddress());
  if (!address.ok()) {
    return Complain(address.status());
  }
  AnnounceListener("upstream", *address);
  while (!stop.stopped()) {
    loop.DispatchOnce(EventLoop::Now() + hours(1));
    upstream.Reap();
  }
  return static_cast<int>(ExitCode::kClean);
}

int RunLoad() {
  const auto options = ReadLoadOptions();
  if (!options.ok()) {
    return Complain(options.status());
  }
  EventLoop loop;
  const auto report = options->mode == Mode::kTurns ? TurnLoad::Run(loop, *options)
                                                    : FrameLoad::Run(loop, *options);
  if (!report.ok()) {
    return Complain(report.status());
  }
  for (const std::string& problem : report->problems) {
    std::fprintf(stderr, "voicebridge-load: %s\n", problem.c_str());
  }
  std::printf("%s\n", report->json.c_str());
  return report->problems.empty() ? static_cast<int>(ExitCode::kClean) : kRunFailed;
}

}  // namespace
}  // namespace voicebridge::load

int main(int argc, char** argv) {
  namespace load = voicebridge::load;
  const bool upstream = argc > 1 && std::string_view(argv[1]) == "upstream";
  const int skipped = upstream ? 1 : 0;
  argv[skipped] = argv[0];
  if (const auto code =
          voicebridge::ParseFlags(argc - skipped, argv + skipped, load::kUsage,
                                  upstream ? load::UpstreamFlags() : load::LoadFlags())) {
    return *code;
  }
  return upstream ? load::RunUpstream() : load::RunLoad();
}

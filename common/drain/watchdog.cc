#include "common/drain/watchdog.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <thread>

#include "common/process/signals.h"

namespace voicebridge {
namespace {

static_assert(Duration::period::den == 1'000'000'000 && Duration::period::num == 1);

constexpr Duration kLookAgain = seconds(60);
// How long the last line may take to be written.
constexpr long kWriteMaxNanoseconds = 20'000'000;

// For the handler of the write's limit, which is given nothing.
constinit std::atomic<int> code_of_exit = 0;

int Checked(int result, const char* what) {
  if (result < 0) {
    std::perror(what);
    std::abort();
  }
  return result;
}

int OpenStopSignals() {
  const sigset_t signals = StopSignals::Set();
  return Checked(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK), "watchdog: signalfd");
}

// It sends SIGALRM to this thread.
timer_t MakeWriteTimer() {
  sigset_t alarm;
  sigemptyset(&alarm);
  sigaddset(&alarm, SIGALRM);
  ::pthread_sigmask(SIG_UNBLOCK, &alarm, nullptr);
  sigevent event{};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = SIGALRM;
  event._sigev_un._tid = ::gettid();
  timer_t timer{};
  Checked(::timer_create(CLOCK_MONOTONIC, &event, &timer), "watchdog: timer_create");
  return timer;
}

// Others may fill the pipe between the look at it and the write, which would then wait for a reader
// for ever: the process leaves from within the handler. O_NONBLOCK is no way out, it would stay on
// for whoever shares the terminal.
void LimitWrite(timer_t timer) {
  struct sigaction action {};
  action.sa_handler = [](int) { ::_exit(code_of_exit.load()); };
  ::sigaction(SIGALRM, &action, nullptr);
  itimerspec limit{};
  limit.it_value.tv_nsec = kWriteMaxNanoseconds;
  ::timer_settime(timer, 0, &limit, nullptr);
}

[[noreturn]] void WriteAndExit(std::string_view line, timer_t limit, ExitCode code) {
  code_of_exit.store(static_cast<int>(code));
  pollfd ready{STDERR_FILENO, POLLOUT, 0};
  if (::poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT) != 0) {
    LimitWrite(limit);
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
  }
  ::_exit(static_cast<int>(code));
}

std::int64_t Now() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

}  // namespace

Watchdog::Watchdog(Tables tables)
    : tables_(tables),
      stop_signals_fd_(OpenStopSignals()),
      wake_fd_(Checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "watchdog: eventfd")),
      signal_fd_(Checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "watchdog: eventfd")) {
  // Not joined by anyone on purpose: it must outlast every other part of the process.
  std::thread(&Watchdog::Run, this).detach();
}

void Watchdog::Serve(Duration exit_after) { exit_after_.store(exit_after.count()); }

void Watchdog::Arm(Deadline deadline) {
  const std::int64_t when = deadline.when().time_since_epoch().count();
  std::int64_t current = armed_.load();
  while (when < current && !armed_.compare_exchange_weak(current, when)) {
  }
  Wake();
}

void Watchdog::Disarm() { armed_.store(kNever); }

void Watchdog::Wake() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_fd_, &one, sizeof(one));
}

void Watchdog::Run() {
  write_timer_ = MakeWriteTimer();
  while (true) {
    Look();
  }
}

// Waits for a signal, a call of Arm or the deadline.
void Watchdog::Look() {
  const std::int64_t deadline = std::min(armed_.load(), armed_by_signal_.load());
  const std::int64_t now = Now();
  if (deadline <= now) {
    EndProcess("error", "watchdog.exit", ExitCode::kDrainForced);
  }
  const Duration left(std::min<std::int64_t>(deadline - now, Duration(kLookAgain).count()));
  timespec wait{};
  wait.tv_sec = static_cast<std::time_t>(left / seconds(1));
  wait.tv_nsec = static_cast<long>((left % seconds(1)).count());
  std::array<pollfd, 2> looked_at = {pollfd{stop_signals_fd_, POLLIN, 0},
                                     pollfd{wake_fd_, POLLIN, 0}};
  if (::ppoll(looked_at.data(), looked_at.size(), &wait, nullptr) > 0) {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t size = ::read(wake_fd_, &count, sizeof(count));
    TakeSignals();
  }
}

void Watchdog::TakeSignals() {
  signalfd_siginfo taken{};
  while (::read(stop_signals_fd_, &taken, sizeof(taken)) == sizeof(taken)) {
    OnSignal(static_cast<int>(taken.ssi_signo));
  }
}

void Watchdog::OnSignal(int signal) {
  if (signal_.load() != 0) {
    EndProcess("warning", "signal.second", ExitCode::kSecondSignal);
  }
  const std::int64_t exit_after = exit_after_.load();
  if (exit_after == kStarting) {
    EndProcess("info", "signal.during_start", ExitCode::kClean);
  }
  armed_by_signal_.store(Now() + exit_after);
  signal_.store(signal);
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(signal_fd_, &one, sizeof(one));
}

void Watchdog::EndProcess(std::string_view level, std::string_view event, ExitCode code) {
  line_.Begin(std::chrono::system_clock::now(), level, tables_.process, event);
  line_.Add("pid", ::getpid());
  line_.AddSessions(tables_.sessions);
  line_.AddLibraryCalls(tables_.library_calls);
  line_.AddTasks(tables_.tasks);
  WriteAndExit(line_.End(), write_timer_, code);
}

}  // namespace voicebridge

// What ends a process, from outside: each test runs in a process of its own.
#include "common/drain/watchdog.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <csignal>

#include "common/process/signals.h"

namespace voicebridge {
namespace {

using testing::ExitedWithCode;

constexpr Duration kSoon = milliseconds(50);
constexpr Duration kLater = milliseconds(800);
constexpr int kWrong = 77;
// What the watchdog's tests wait with; far longer than any of them takes.
constexpr int kPatienceMs = 20'000;

TimePoint RealNow() { return std::chrono::steady_clock::now(); }
Deadline In(Duration budget) { return Deadline::After(RealNow(), budget); }

struct Process {
  StopSignals signals;
  LiveTasks tasks;
  LiveSessions sessions;
  LiveTasks library_calls;
  Watchdog watchdog{{"probe", tasks, sessions, library_calls}};

  void Send(int signal) const { ::kill(::getpid(), signal); }

  bool AwaitSignal() const {
    pollfd told{watchdog.signal_fd(), POLLIN, 0};
    return ::poll(&told, 1, kPatienceMs) == 1;
  }

  // Does nothing, as one that is stuck.
  [[noreturn]] static void BeStuck() {
    ::poll(nullptr, 0, kPatienceMs);
    ::_exit(kWrong);
  }
};

class WatchdogDeathTest : public testing::Test {
 protected:
  WatchdogDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }

  Duration Took() const { return RealNow() - began_; }

 private:
  const TimePoint began_ = RealNow();
};

TEST_F(WatchdogDeathTest, EndsTheProcessAtTheEarliestDeadline) {
  const auto stuck = [] {
    auto* const process = new Process;
    process->tasks.Add("read client");
    process->sessions.TryReserve(0);
    process->sessions.Show(0, "sess_a");
    process->library_calls.Add("store");
    process->watchdog.Arm(In(hours(1)));
    process->watchdog.Arm(In(kSoon));
    process->watchdog.Arm(In(hours(2)));
    Process::BeStuck();
  };
  EXPECT_EXIT(
      stuck(), ExitedWithCode(3),
      "\"level\":\"error\",\"process\":\"probe\",\"event\":\"watchdog.exit\",\"pid\":[0-9]+,"
      "\"sessions\":1,\"session_ids\":\\[\"sess_a\"\\],"
      "\"library_calls\":1,\"library_call_kinds\":\\{\"store\":1\\},"
      "\"tasks\":1,\"task_kinds\":\\{\"read client\":1\\}\\}");
}

TEST_F(WatchdogDeathTest, CanBeDisarmedAndArmedAnew) {
  const auto stuck = [] {
    auto* const process = new Process;
    process->watchdog.Arm(In(kSoon));
    process->watchdog.Disarm();
    process->watchdog.Arm(In(kLater));
    Process::BeStuck();
  };
  EXPECT_EXIT(stuck(), ExitedWithCode(3), "watchdog.exit");
  EXPECT_GE(Took(), kLater);
}

TEST_F(WatchdogDeathTest, ASignalIsPublishedAndArms) {
  const auto stuck = [] {
    auto* const process = new Process;
    process->watchdog.Serve(kSoon);
    if (process->watchdog.signal() != 0) {
      ::_exit(kWrong);
    }
    process->Send(SIGINT);
    if (!process->AwaitSignal() || process->watchdog.signal() != SIGINT) {
      ::_exit(kWrong);
    }
    Process::BeStuck();
  };
  EXPECT_EXIT(stuck(), ExitedWithCode(3), "watchdog.exit");
}

TEST_F(WatchdogDeathTest, WhatASignalArmedSurvivesDisarm) {
  const auto stuck = [] {
    auto* const process = new Process;
    process->watchdog.Serve(kSoon);
    process->Send(SIGTERM);
    process->AwaitSignal();
    process->watchdog.Disarm();
    Process::BeStuck();
  };
  EXPECT_EXIT(stuck(), ExitedWithCode(3), "watchdog.exit");
}

TEST_F(WatchdogDeathTest, AnEarlierDeadlineStaysWhenASignalComes) {
  const auto stuck = [] {
    auto* const process = new Process;
    process->watchdog.Serve(hours(1));
    process->watchdog.Arm(In(kSoon));
    process->Send(SIGTERM);
    Process::BeStuck();
  };
  EXPECT_EXIT(stuck(), ExitedWithCode(3), "watchdog.exit");
}

TEST_F(WatchdogDeathTest, ALaterDeadlineGivesWayToASignals) {
  const auto stuck = [] {
    auto* const process = new Process;
    process->watchdog.Serve(kSoon);
    process->watchdog.Arm(In(hours(1)));
    process->Send(SIGTERM);
    Process::BeStuck();
  };
  EXPECT_EXIT(stuck(), ExitedWithCode(3), "watchdog.exit");
}

TEST_F(WatchdogDeathTest, TheSecondSignalEndsTheProcessAtOnce) {
  const auto stuck = [] {
    auto* const process = new Process;
    process->watchdog.Serve(hours(1));
    process->Send(SIGTERM);
    process->AwaitSignal();
    process->Send(SIGINT);
    Process::BeStuck();
  };
  EXPECT_EXIT(stuck(), ExitedWithCode(4), "\"level\":\"warning\".*\"event\":\"signal.second\"");
}

TEST_F(WatchdogDeathTest, ASignalDuringStartUpEndsTheProcessAtOnce) {
  const auto stuck = [] {
    auto* const process = new Process;
    process->Send(SIGTERM);
    Process::BeStuck();
  };
  EXPECT_EXIT(stuck(), ExitedWithCode(0), "\"level\":\"info\".*\"event\":\"signal.during_start\"");
}

}  // namespace
}  // namespace voicebridge

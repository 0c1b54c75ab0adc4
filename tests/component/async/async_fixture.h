// What the tests of common/async share: one loop, one manual clock, one group, a few small tasks.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "common/async/event.h"
#include "common/async/manual_clock.h"
#include "common/async/task_group.h"

namespace voicebridge::test {

// Keeps a task from ending until Open, whatever it is told.
struct Gate {
  explicit Gate(net::io_context& io) : changed(io.get_executor()) {}

  void Open() {
    open = true;
    changed.Notify();
  }

  Event changed;
  bool open = false;
};

// Ignores cancellation.
Awaitable<void> PassThrough(Gate& gate);

Awaitable<void> WaitForCancel(ManualClock& clock, bool& saw_cancel);
Awaitable<void> SleepThenLog(ManualClock& clock, Deadline deadline, std::vector<std::string>& log,
                             std::string name);
Awaitable<void> Throw(std::string what);
Awaitable<void> SetTrue(bool& flag);

class AsyncTest : public ::testing::Test {
 protected:
  AsyncTest() : clock(io), tasks(io.get_executor(), live_tasks, Recorder()) {}

  void TearDown() override {
    tasks.Close();
    tasks.CancelAll();
    clock.RunReady();
    EXPECT_TRUE(tasks.empty()) << "a task was left: " << tasks.Unfinished().front();
    EXPECT_EQ(live_tasks.total(), 0);
  }

  TaskGroup::OnFailure Recorder() {
    return [this](std::string_view task, const std::string& what) {
      failures.push_back(std::string(task) + ": " + what);
    };
  }

  Deadline In(Duration budget) const { return Deadline::After(clock.Now(), budget); }

  // Spawned and run up to its first wait.
  void Start(TaskName name, Awaitable<void> task) {
    ASSERT_TRUE(tasks.TrySpawn(name, std::move(task)));
    clock.RunReady();
  }

  net::io_context io;
  ManualClock clock;
  LiveTasks live_tasks;
  std::vector<std::string> failures;
  TaskGroup tasks;
};

}  // namespace voicebridge::test

// What tests with threads or sockets share: one loop on the system's clock, and a group of tasks.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "common/async/clock.h"
#include "common/async/task_group.h"

namespace voicebridge::test {

class RealTimeTest : public testing::Test {
 protected:
  RealTimeTest()
      : tasks(io.get_executor(), live_tasks, [](std::string_view task, const std::string& what) {
          ADD_FAILURE() << task << ": " << what;
        }) {}

  void TearDown() override { EndTasks(); }

  void EndTasks() {
    net::post(io, [this] {
      tasks.Close();
      tasks.CancelAll();
    });
    RunWhile([this] { return !tasks.empty(); });
  }

  // Until the condition does not hold any more; fails after 20 s.
  void RunWhile(const std::function<bool()>& condition) {
    const Deadline limit = In(seconds(20));
    while (condition() && !limit.HasPassed(clock.Now())) {
      io.run_one_for(milliseconds(5));
      io.restart();
    }
    EXPECT_FALSE(condition());
  }

  // Runs it to its end.
  template <class Result>
  Result Await(Awaitable<Result> work) {
    std::optional<Result> result;
    EXPECT_TRUE(tasks.TrySpawn("test", Keep(std::move(work), result)));
    RunWhile([&result] { return !result.has_value(); });
    return std::move(result).value();
  }

  template <class Result>
  static Awaitable<void> Keep(Awaitable<Result> work, std::optional<Result>& result) {
    result.emplace(co_await std::move(work));
  }

  Deadline In(Duration budget) const { return Deadline::After(clock.Now(), budget); }

  net::io_context io;
  LiveTasks live_tasks;
  TaskGroup tasks;
  mutable SystemClock clock;
};

}  // namespace voicebridge::test

#include "common/async/task_group.h"

#include <gmock/gmock.h>

#include <boost/asio/post.hpp>
#include <optional>

#include "tests/component/async/async_fixture.h"

namespace voicebridge::test {
namespace {

using ::testing::ElementsAre;
using TaskGroupTest = AsyncTest;

Awaitable<void> JoinInto(TaskGroup& group, Clock& clock, Deadline deadline,
                         std::optional<bool>& joined) {
  joined = co_await group.Join(clock, deadline);
}

Awaitable<void> SpawnLater(TaskGroup& group, ManualClock& clock, Deadline when,
                           Awaitable<void> next) {
  co_await clock.SleepUntil(when);
  group.TrySpawn("spawned by a task", std::move(next));
}

// A task with a group of its own, as a session has: told to stop, it stops and joins its children.
Awaitable<void> OwnChildren(TaskGroup& children, ManualClock& clock, Gate& gate,
                            std::optional<bool>& joined) {
  children.TrySpawn("child", PassThrough(gate));
  co_await clock.SleepUntil(Deadline::Never());
  children.Close();
  children.CancelAll();
  joined = co_await children.Join(clock, Deadline::After(clock.Now(), seconds(1)));
}

TEST_F(TaskGroupTest, CountsItsTasksAndIsEmptyWhenTheyEnd) {
  std::vector<std::string> log;
  Start("short", SleepThenLog(clock, In(milliseconds(10)), log, "short"));
  Start("long", SleepThenLog(clock, In(milliseconds(20)), log, "long"));
  EXPECT_EQ(live_tasks.total(), 2);
  EXPECT_THAT(tasks.Unfinished(), ElementsAre("short", "long"));

  clock.Advance(milliseconds(10));
  EXPECT_EQ(live_tasks.total(), 1);
  EXPECT_THAT(tasks.Unfinished(), ElementsAre("long"));

  clock.Advance(milliseconds(10));
  EXPECT_TRUE(tasks.empty());
  EXPECT_EQ(live_tasks.total(), 0);
  EXPECT_THAT(log, ElementsAre("short", "long"));
}

TEST_F(TaskGroupTest, RefusesTasksAfterCloseWhileOthersGoOn) {
  std::vector<std::string> log;
  Start("early", SleepThenLog(clock, In(milliseconds(5)), log, "early"));
  tasks.Close();

  bool ran = false;
  EXPECT_FALSE(tasks.TrySpawn("late", SetTrue(ran)));
  clock.Advance(milliseconds(5));

  EXPECT_FALSE(ran);
  EXPECT_THAT(log, ElementsAre("early"));
}

TEST_F(TaskGroupTest, CancelAllEndsEveryWaitAtOnce) {
  bool first = false;
  bool second = false;
  Start("first", WaitForCancel(clock, first));
  Start("second", WaitForCancel(clock, second));

  tasks.CancelAll();
  tasks.CancelAll();
  clock.RunReady();

  EXPECT_TRUE(first);
  EXPECT_TRUE(second);
  EXPECT_TRUE(tasks.empty());
  EXPECT_TRUE(failures.empty());
}

TEST_F(TaskGroupTest, CancelAllReachesATaskThatHasNotRunYet) {
  bool saw_cancel = false;
  ASSERT_TRUE(tasks.TrySpawn("not started", WaitForCancel(clock, saw_cancel)));
  tasks.CancelAll();
  clock.RunReady();

  EXPECT_TRUE(saw_cancel);
  EXPECT_TRUE(tasks.empty());
  EXPECT_TRUE(failures.empty());
}

TEST_F(TaskGroupTest, CancelAllFromWithinTheLoopReachesATaskSpawnedJustBefore) {
  bool saw_cancel = false;
  net::post(io, [this, &saw_cancel] {
    tasks.TrySpawn("just spawned", WaitForCancel(clock, saw_cancel));
    tasks.CancelAll();
  });
  clock.RunReady();

  EXPECT_TRUE(saw_cancel);
  EXPECT_TRUE(tasks.empty());
}

TEST_F(TaskGroupTest, JoinOfAnEmptyGroupReturnsAtOnce) {
  TaskGroup group(io.get_executor(), live_tasks, Recorder());
  std::optional<bool> joined;
  Start("join", JoinInto(group, clock, In(seconds(1)), joined));
  EXPECT_EQ(joined, true);
}

TEST_F(TaskGroupTest, JoinWaitsForTheLastTaskEvenOneSpawnedMeanwhile) {
  TaskGroup group(io.get_executor(), live_tasks, Recorder());
  std::vector<std::string> log;
  group.TrySpawn("spawner",
                 SpawnLater(group, clock, In(milliseconds(10)),
                            SleepThenLog(clock, In(milliseconds(30)), log, "grandchild")));
  std::optional<bool> joined;
  Start("join", JoinInto(group, clock, In(seconds(1)), joined));

  clock.Advance(milliseconds(29));
  EXPECT_EQ(joined, std::nullopt);
  clock.Advance(milliseconds(1));
  EXPECT_EQ(joined, true);
  EXPECT_THAT(log, ElementsAre("grandchild"));
}

TEST_F(TaskGroupTest, JoinGivesUpAtItsDeadlineAndUnfinishedNamesTheStuckTask) {
  TaskGroup group(io.get_executor(), live_tasks, Recorder());
  Gate gate(io);
  bool saw_cancel = false;
  group.TrySpawn("polite", WaitForCancel(clock, saw_cancel));
  group.TrySpawn("stuck", PassThrough(gate));
  clock.RunReady();
  group.Close();
  group.CancelAll();
  std::optional<bool> joined;
  Start("join", JoinInto(group, clock, In(seconds(1)), joined));

  clock.Advance(milliseconds(999));
  EXPECT_EQ(joined, std::nullopt);
  clock.Advance(milliseconds(1));
  EXPECT_EQ(joined, false);
  EXPECT_THAT(group.Unfinished(), ElementsAre("stuck"));
  EXPECT_TRUE(saw_cancel);

  gate.Open();
  clock.RunReady();
  EXPECT_TRUE(group.empty());
}

TEST_F(TaskGroupTest, ACancelledTaskStillJoinsItsChildrenBeforeItEnds) {
  Gate gate(io);
  TaskGroup children(io.get_executor(), live_tasks, Recorder());
  std::optional<bool> joined;
  Start("owner", OwnChildren(children, clock, gate, joined));

  tasks.CancelAll();
  clock.Advance(milliseconds(500));
  EXPECT_EQ(joined, std::nullopt);
  EXPECT_THAT(tasks.Unfinished(), ElementsAre("owner"));

  gate.Open();
  clock.RunReady();
  EXPECT_EQ(joined, true);
  EXPECT_TRUE(tasks.empty());
}

TEST_F(TaskGroupTest, CancellingTheCallerOfAPendingJoinEndsTheJoin) {
  Gate gate(io);
  TaskGroup children(io.get_executor(), live_tasks, Recorder());
  children.TrySpawn("child", PassThrough(gate));
  std::optional<bool> joined;
  Start("join", JoinInto(children, clock, In(seconds(10)), joined));

  tasks.CancelAll();
  clock.RunReady();
  EXPECT_EQ(joined, false);

  gate.Open();
  clock.RunReady();
  EXPECT_TRUE(children.empty());
}

TEST_F(TaskGroupTest, ReportsAnExceptionByTaskNameAndTheOthersGoOn) {
  std::vector<std::string> log;
  Start("sound", SleepThenLog(clock, In(milliseconds(1)), log, "sound"));
  Start("faulty", Throw("a bug"));

  clock.Advance(milliseconds(1));
  EXPECT_THAT(failures, ElementsAre("faulty: a bug"));
  EXPECT_THAT(log, ElementsAre("sound"));
}

void DestroyWhileATaskRuns() {
  net::io_context io;
  Gate gate(io);
  LiveTasks live_tasks;
  TaskGroup group(io.get_executor(), live_tasks, [](std::string_view, const std::string&) {});
  group.TrySpawn("left behind", PassThrough(gate));
  io.poll();
}

TEST(TaskGroupDeathTest, DestructionWithALiveTaskEndsTheProcessAndNamesTheTask) {
  EXPECT_DEATH(DestroyWhileATaskRuns(), "task 'left behind' runs");
}

}  // namespace
}  // namespace voicebridge::test

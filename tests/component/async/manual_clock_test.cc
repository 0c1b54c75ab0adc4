#include "common/async/manual_clock.h"

#include <gmock/gmock.h>

#include "tests/component/async/async_fixture.h"

namespace voicebridge::test {
namespace {

using ::testing::ElementsAre;
using ManualClockTest = AsyncTest;

Awaitable<void> Tick(ManualClock& clock, Duration period, int count,
                     std::vector<TimePoint>& ticks) {
  for (int i = 0; i < count; ++i) {
    co_await clock.SleepUntil(Deadline::After(clock.Now(), period));
    ticks.push_back(clock.Now());
  }
}

TEST_F(ManualClockTest, StandsStillUntilItIsAdvanced) {
  const TimePoint start = clock.Now();
  clock.RunReady();
  EXPECT_EQ(clock.Now(), start);
  clock.Advance(milliseconds(7));
  EXPECT_EQ(clock.Now() - start, milliseconds(7));
}

TEST_F(ManualClockTest, WakesASleeperAtItsDeadlineAndNotAMillisecondBefore) {
  std::vector<std::string> log;
  Start("sleeper", SleepThenLog(clock, In(milliseconds(100)), log, "woke"));
  clock.Advance(milliseconds(99));
  EXPECT_TRUE(log.empty());
  clock.Advance(milliseconds(1));
  EXPECT_THAT(log, ElementsAre("woke"));
}

TEST_F(ManualClockTest, WakesByDeadlineAndEqualDeadlinesByArrival) {
  std::vector<std::string> log;
  Start("c", SleepThenLog(clock, In(milliseconds(30)), log, "c"));
  Start("a1", SleepThenLog(clock, In(milliseconds(10)), log, "a1"));
  Start("b", SleepThenLog(clock, In(milliseconds(20)), log, "b"));
  Start("a2", SleepThenLog(clock, In(milliseconds(10)), log, "a2"));
  clock.Advance(seconds(1));
  EXPECT_THAT(log, ElementsAre("a1", "a2", "b", "c"));
}

TEST_F(ManualClockTest, EachSleeperSeesItsOwnInstantAndMaySleepAgainInTheSameAdvance) {
  const TimePoint start = clock.Now();
  std::vector<TimePoint> ticks;
  Start("ticker", Tick(clock, milliseconds(10), 3, ticks));
  clock.Advance(milliseconds(30));
  EXPECT_THAT(ticks, ElementsAre(start + milliseconds(10), start + milliseconds(20),
                                 start + milliseconds(30)));
}

TEST_F(ManualClockTest, APassedDeadlineReturnsAtOnce) {
  std::vector<std::string> log;
  Start("late", SleepThenLog(clock, Deadline::At(clock.Now()), log, "late"));
  EXPECT_THAT(log, ElementsAre("late"));
}

TEST_F(ManualClockTest, ACancelledSleeperIsToldSoAndLeavesTheOthersAsleep) {
  std::vector<std::string> log;
  TaskGroup group(io.get_executor(), live_tasks, Recorder());
  group.TrySpawn("cancelled", SleepThenLog(clock, In(milliseconds(10)), log, "one"));
  Start("asleep", SleepThenLog(clock, In(milliseconds(20)), log, "two"));
  group.CancelAll();
  clock.RunReady();
  EXPECT_THAT(log, ElementsAre("one cancelled"));
  clock.Advance(milliseconds(20));
  EXPECT_THAT(log, ElementsAre("one cancelled", "two"));
}

}  // namespace
}  // namespace voicebridge::test

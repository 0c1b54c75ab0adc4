#include "common/async/first_to_finish.h"

#include <gmock/gmock.h>

#include <optional>
#include <stdexcept>

#include "tests/component/async/async_fixture.h"

namespace voicebridge::test {
namespace {

using ::testing::ElementsAre;
using FirstToFinishTest = AsyncTest;

Awaitable<void> RaceInto(Awaitable<void> first, Awaitable<void> second,
                         std::optional<int>& winner) {
  winner = co_await FirstToFinish(std::move(first), std::move(second));
}

Awaitable<void> RunInto(Clock& clock, Deadline deadline, Awaitable<void> work,
                        std::optional<bool>& in_time) {
  in_time = co_await RunUntil(clock, deadline, std::move(work));
}

Awaitable<void> SleepThenThrow(ManualClock& clock, Deadline deadline, std::string what) {
  co_await clock.SleepUntil(deadline);
  throw std::runtime_error(what);
}

// Its clean-up takes until the gate opens.
Awaitable<void> WaitThenCleanUp(ManualClock& clock, Gate& gate, bool& cleaned_up) {
  co_await clock.SleepUntil(Deadline::Never());
  while (!gate.open) {
    co_await net::this_coro::reset_cancellation_state(net::disable_cancellation());
    co_await gate.changed.WaitUntilNotified();
  }
  cleaned_up = true;
}

Awaitable<void> WaitForStopThenRun(ManualClock& clock, Duration budget, Awaitable<void> clean_up,
                                   std::optional<bool>& in_time) {
  co_await clock.SleepUntil(Deadline::Never());
  in_time = co_await RunUntil(clock, Deadline::After(clock.Now(), budget), std::move(clean_up));
}

TEST_F(FirstToFinishTest, TellsWhichOfTheTwoEndedFirstAndCancelsTheOther) {
  std::vector<std::string> log;
  std::optional<int> winner;
  Start("race", RaceInto(SleepThenLog(clock, In(milliseconds(20)), log, "first"),
                         SleepThenLog(clock, In(milliseconds(10)), log, "second"), winner));

  clock.Advance(milliseconds(9));
  EXPECT_EQ(winner, std::nullopt);
  clock.Advance(milliseconds(1));
  EXPECT_EQ(winner, 1);
  EXPECT_THAT(log, ElementsAre("second", "first cancelled"));
}

TEST_F(FirstToFinishTest, AWaitThatIsDoneAtOnceWinsAtOnce) {
  bool ran = false;
  bool saw_cancel = false;
  std::optional<int> winner;
  Start("race", RaceInto(SetTrue(ran), WaitForCancel(clock, saw_cancel), winner));
  EXPECT_EQ(winner, 0);
  EXPECT_TRUE(ran);
  EXPECT_TRUE(saw_cancel);
}

TEST_F(FirstToFinishTest, ReturnsOnlyWhenTheLoserHasEndedToo) {
  Gate gate(io);
  bool cleaned_up = false;
  std::vector<std::string> log;
  std::optional<int> winner;
  Start("race", RaceInto(SleepThenLog(clock, In(milliseconds(10)), log, "winner"),
                         WaitThenCleanUp(clock, gate, cleaned_up), winner));

  clock.Advance(seconds(5));
  EXPECT_EQ(winner, std::nullopt);
  EXPECT_THAT(log, ElementsAre("winner"));

  gate.Open();
  clock.RunReady();
  EXPECT_EQ(winner, 0);
  EXPECT_TRUE(cleaned_up);
}

TEST_F(FirstToFinishTest, RethrowsTheFailureOfTheFirstToEndWhicheverSideItStandsOn) {
  bool saw_cancel = false;
  std::optional<int> winner;
  Start("left", RaceInto(Throw("left cause"), WaitForCancel(clock, saw_cancel), winner));
  EXPECT_TRUE(saw_cancel);
  saw_cancel = false;
  Start("right", RaceInto(WaitForCancel(clock, saw_cancel), Throw("right cause"), winner));
  EXPECT_TRUE(saw_cancel);

  EXPECT_EQ(winner, std::nullopt);
  EXPECT_THAT(failures, ElementsAre("left: left cause", "right: right cause"));
}

TEST_F(FirstToFinishTest, AFailureOfTheLoserDoesNotHideTheWinner) {
  std::vector<std::string> log;
  std::optional<int> winner;
  Start("race",
        RaceInto(SleepThenLog(clock, In(milliseconds(1)), log, "winner"),
                 SleepThenThrow(clock, Deadline::Never(), "thrown while it is cancelled"), winner));
  clock.Advance(milliseconds(1));
  EXPECT_EQ(winner, 0);
  EXPECT_TRUE(failures.empty());
}

TEST_F(FirstToFinishTest, CancellingTheCallerCancelsBothAndJoinsThem) {
  bool first = false;
  bool second = false;
  std::optional<int> winner;
  Start("race", RaceInto(WaitForCancel(clock, first), WaitForCancel(clock, second), winner));

  tasks.CancelAll();
  clock.RunReady();
  EXPECT_TRUE(first);
  EXPECT_TRUE(second);
  EXPECT_TRUE(winner.has_value());
  EXPECT_TRUE(tasks.empty());
}

TEST_F(FirstToFinishTest, RunUntilCancelsWorkExactlyAtItsDeadline) {
  bool saw_cancel = false;
  std::optional<bool> in_time;
  Start("run", RunInto(clock, In(milliseconds(100)), WaitForCancel(clock, saw_cancel), in_time));

  clock.Advance(milliseconds(99));
  EXPECT_EQ(in_time, std::nullopt);
  EXPECT_FALSE(saw_cancel);
  clock.Advance(milliseconds(1));
  EXPECT_EQ(in_time, false);
  EXPECT_TRUE(saw_cancel);
}

TEST_F(FirstToFinishTest, RunUntilIsTrueForWorkThatEndsBeforeTheDeadline) {
  std::vector<std::string> log;
  std::optional<bool> in_time;
  Start("run", RunInto(clock, In(milliseconds(100)),
                       SleepThenLog(clock, In(milliseconds(99)), log, "work"), in_time));
  clock.Advance(milliseconds(99));
  EXPECT_EQ(in_time, true);
  EXPECT_THAT(log, ElementsAre("work"));
}

TEST_F(FirstToFinishTest, ATaskThatWasToldToStopCanStillRunItsCleanUpWithinADeadline) {
  Gate gate(io);
  std::optional<bool> in_time;
  Start("owner",
        WaitForStopThenRun(clock, milliseconds(100), gate.changed.WaitUntilNotified(), in_time));
  tasks.CancelAll();
  clock.Advance(milliseconds(99));
  EXPECT_EQ(in_time, std::nullopt);
  gate.Open();
  clock.RunReady();
  EXPECT_EQ(in_time, true);
}

TEST_F(FirstToFinishTest, CleanUpOfAStoppedTaskIsCutAtItsDeadline) {
  bool saw_cancel = false;
  std::optional<bool> in_time;
  Start("owner",
        WaitForStopThenRun(clock, milliseconds(100), WaitForCancel(clock, saw_cancel), in_time));
  tasks.CancelAll();
  clock.Advance(milliseconds(100));
  EXPECT_EQ(in_time, false);
  EXPECT_TRUE(saw_cancel);
}

}  // namespace
}  // namespace voicebridge::test

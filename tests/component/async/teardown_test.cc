// The end of a session's tasks: when they are asked, cut off and given up.
#include "common/async/teardown.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "common/async/clock.h"
#include "tests/component/async/async_fixture.h"

namespace voicebridge::test {
namespace {

using testing::ElementsAre;

Awaitable<void> RunInto(Teardown& teardown, bool& ended) {
  co_await teardown.Run();
  ended = true;
}

class TeardownTest : public AsyncTest {
 protected:
  TeardownTest() : session_(io.get_executor(), live_tasks, Recorder()), gate_(io) {}

  void TearDown() override {
    gate_.Open();
    clock.RunReady();
    AsyncTest::TearDown();
  }

  void Begin() {
    session_.Close();
    Start("run session", RunInto(teardown_, ended_));
  }

  void Spawn(TaskName name, Awaitable<void> task) {
    session_.TrySpawn(name, std::move(task));
    clock.RunReady();
  }

  TaskGroup session_;
  Gate gate_;
  bool ended_ = false;
  bool saw_cancel_ = false;
  int cut_off_ = 0;
  Teardown teardown_{session_, clock, io.get_executor(), [this] { ++cut_off_; }};
};

TEST_F(TeardownTest, WithoutTasksItIsOverAtOnce) {
  Begin();
  EXPECT_TRUE(ended_);
  EXPECT_EQ(cut_off_, 0);
}

TEST_F(TeardownTest, EndsWithItsLastTask) {
  Spawn("obedient", PassThrough(gate_));
  Begin();
  clock.Advance(milliseconds(300));
  EXPECT_FALSE(ended_);
  gate_.Open();
  clock.RunReady();
  EXPECT_TRUE(ended_);
  EXPECT_EQ(teardown_.took(), milliseconds(300));
  EXPECT_EQ(cut_off_, 0);
}

TEST_F(TeardownTest, CutsOffAndCancelsAfterASecondWhatHasNotEnded) {
  Spawn("waits for its peer", WaitForCancel(clock, saw_cancel_));
  Begin();
  clock.Advance(milliseconds(999));
  EXPECT_FALSE(saw_cancel_);
  clock.Advance(milliseconds(1));
  EXPECT_TRUE(saw_cancel_);
  EXPECT_TRUE(ended_);
  EXPECT_EQ(cut_off_, 1);
}

TEST_F(TeardownTest, GivesUpAndNamesAfterTwoSecondsWhatIgnoresItsCancellation) {
  Spawn("waits for its peer", WaitForCancel(clock, saw_cancel_));
  Spawn("stuck", PassThrough(gate_));
  Begin();
  clock.Advance(seconds(1));
  EXPECT_TRUE(saw_cancel_) << "the other one is not held up";
  clock.Advance(milliseconds(999));
  EXPECT_FALSE(ended_);
  clock.Advance(milliseconds(1));
  EXPECT_TRUE(ended_);
  EXPECT_THAT(session_.Unfinished(), ElementsAre("stuck"));
  EXPECT_EQ(cut_off_, 1);
}

TEST_F(TeardownTest, EachDeadlineAndForceOnlyBringsTheEndForward) {
  Spawn("stuck", PassThrough(gate_));
  teardown_.EndBy(In(milliseconds(800)));
  Begin();
  teardown_.EndBy(In(milliseconds(400)));
  teardown_.EndBy(In(seconds(30)));
  clock.Advance(milliseconds(349));
  EXPECT_EQ(cut_off_, 0);
  clock.Advance(milliseconds(1));
  EXPECT_EQ(cut_off_, 1) << "early enough for what was cut off to end";
  clock.Advance(milliseconds(49));
  EXPECT_FALSE(ended_);
  clock.Advance(milliseconds(1));
  EXPECT_TRUE(ended_);
}

TEST_F(TeardownTest, AForceCutsOffAtOnceHoweverOftenItComes) {
  Spawn("waits for its peer", WaitForCancel(clock, saw_cancel_));
  Spawn("stuck", PassThrough(gate_));
  Begin();
  teardown_.Force();
  teardown_.Force();
  clock.RunReady();
  EXPECT_EQ(cut_off_, 1);
  EXPECT_TRUE(saw_cancel_);
  clock.Advance(milliseconds(10));
  teardown_.Force();
  clock.Advance(milliseconds(10));
  EXPECT_TRUE(ended_);
  EXPECT_THAT(session_.Unfinished(), ElementsAre("stuck"));
}

TEST_F(TeardownTest, WhoeverRunsItMayBeCancelled) {
  Spawn("waits for its peer", WaitForCancel(clock, saw_cancel_));
  Begin();
  tasks.CancelAll();
  clock.RunReady();
  EXPECT_TRUE(saw_cancel_);
  EXPECT_TRUE(ended_);
}

TEST_F(TeardownTest, AForceThatComesFirstCutsOffFromTheStart) {
  Spawn("waits for its peer", WaitForCancel(clock, saw_cancel_));
  teardown_.Force();
  Begin();
  EXPECT_TRUE(ended_);
  EXPECT_TRUE(saw_cancel_);
  EXPECT_EQ(cut_off_, 1);
}

TEST_F(TeardownTest, WhenItIsCancelledWhatIsStuckGetsAMomentAndIsGivenUp) {
  Spawn("stuck", PassThrough(gate_));
  Begin();
  tasks.CancelAll();
  clock.RunReady();
  EXPECT_EQ(cut_off_, 1);
  EXPECT_FALSE(ended_);
  clock.Advance(TeardownLimits::kCutOffMin);
  EXPECT_TRUE(ended_);
}

}  // namespace
}  // namespace voicebridge::test

// When a session that ends has to be gone.
#include "common/async/teardown_limits.h"

#include <gtest/gtest.h>

namespace voicebridge {
namespace {

class TeardownLimitsTest : public testing::Test {
 protected:
  static TimePoint At(Duration since) { return TimePoint(hours(1)) + since; }
  static Duration Since(Deadline deadline) { return deadline.when() - At(Duration::zero()); }

  TeardownLimits limits;
};

TEST_F(TeardownLimitsTest, ArePoliteForAsLongAsACloseMayTakeAndThenWaitAsLongAgain) {
  limits.Begin(At(seconds(0)));
  EXPECT_EQ(Since(limits.polite()), limits::kCloseMax);
  EXPECT_EQ(Since(limits.end()), 2 * limits::kCloseMax);
}

TEST_F(TeardownLimitsTest, LeaveTimeBeforeADeadlineForWhatIsCutOff) {
  limits.EndBy(Deadline::At(At(milliseconds(600))));  // Known before it begins.
  limits.Begin(At(seconds(0)));
  EXPECT_EQ(Since(limits.end()), milliseconds(600));
  EXPECT_EQ(Since(limits.polite()), milliseconds(600) - TeardownLimits::kCutOffReserve);
}

TEST_F(TeardownLimitsTest, OnlyEverBecomeEarlier) {
  limits.Begin(At(seconds(0)));
  limits.EndBy(Deadline::At(At(milliseconds(300))));
  limits.EndBy(Deadline::At(At(seconds(1))));
  EXPECT_EQ(Since(limits.end()), milliseconds(300));
  limits.EndBy(Deadline::At(At(hours(1))));
  limits.Force(At(milliseconds(290)));
  EXPECT_EQ(Since(limits.end()), milliseconds(300)) << "a force does not prolong it";
}

TEST_F(TeardownLimitsTest, LetHandlersRunAfterADeadlineThatHasPassed) {
  limits.EndBy(Deadline::At(At(seconds(-1))));
  limits.Begin(At(seconds(0)));
  EXPECT_LE(Since(limits.polite()), Duration::zero());
  EXPECT_EQ(Since(limits.end()), TeardownLimits::kCutOffMin);
}

TEST_F(TeardownLimitsTest, EndShortlyAfterAForce) {
  limits.Begin(At(seconds(0)));
  limits.Force(At(milliseconds(100)));
  EXPECT_EQ(Since(limits.polite()), milliseconds(100));
  EXPECT_EQ(Since(limits.end()), milliseconds(100) + TeardownLimits::kCutOffMin);
  limits.Force(At(milliseconds(200)));
  EXPECT_EQ(Since(limits.polite()), milliseconds(100)) << "the first one counts";
}

TEST_F(TeardownLimitsTest, LetHandlersRunAfterAForceThatCameFirst) {
  limits.Force(At(seconds(-5)));
  limits.Begin(At(seconds(0)));
  EXPECT_LE(Since(limits.polite()), Duration::zero());
  EXPECT_EQ(Since(limits.end()), TeardownLimits::kCutOffMin);
}

}  // namespace
}  // namespace voicebridge

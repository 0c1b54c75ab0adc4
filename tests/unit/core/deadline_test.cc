#include "common/core/deadline.h"

#include <gtest/gtest.h>

namespace voicebridge {
namespace {

constexpr TimePoint kNow{hours(5)};

TEST(Deadline, PassesAtItsInstantAndNotAMillisecondBefore) {
  const Deadline deadline = Deadline::After(kNow, milliseconds(100));
  EXPECT_FALSE(deadline.HasPassed(kNow + milliseconds(99)));
  EXPECT_TRUE(deadline.HasPassed(kNow + milliseconds(100)));
}

TEST(Deadline, RemainingShrinksToZeroAndNotBelow) {
  const Deadline deadline = Deadline::After(kNow, milliseconds(100));
  EXPECT_EQ(deadline.Remaining(kNow), milliseconds(100));
  EXPECT_EQ(deadline.Remaining(kNow + milliseconds(30)), milliseconds(70));
  EXPECT_EQ(deadline.Remaining(kNow + seconds(9)), Duration::zero());
}

TEST(Deadline, ANegativeBudgetIsSpentAlready) {
  const Deadline deadline = Deadline::After(kNow, -seconds(1));
  EXPECT_EQ(deadline, Deadline::At(kNow));
  EXPECT_TRUE(deadline.HasPassed(kNow));
}

TEST(Deadline, AHugeBudgetSaturatesToNever) {
  EXPECT_TRUE(Deadline::After(kNow, Duration::max()).IsNever());
  EXPECT_TRUE(Deadline::After(kNow, TimePoint::max() - kNow).IsNever());
  EXPECT_FALSE(Deadline::After(kNow, TimePoint::max() - kNow - Duration(1)).IsNever());
}

TEST(Deadline, NeverHasAllTimeLeftAndKeepsIt) {
  const Deadline never = Deadline::Never();
  EXPECT_FALSE(never.HasPassed(kNow + hours(1'000'000)));
  EXPECT_EQ(never.Remaining(kNow), Duration::max());
  EXPECT_TRUE(never.KeepingBack(hours(1)).IsNever());
  EXPECT_TRUE(Deadline::After(kNow, never.Remaining(kNow)).IsNever());
}

TEST(Deadline, EarlierOfTightensAndNeverWidens) {
  const Deadline early = Deadline::At(kNow);
  const Deadline late = Deadline::At(kNow + seconds(1));
  EXPECT_EQ(late.EarlierOf(early), early);
  EXPECT_EQ(early.EarlierOf(late), early);
  EXPECT_EQ(early.EarlierOf(Deadline::Never()), early);
}

TEST(Deadline, KeepingBackLeavesTimeForTheNextStep) {
  const Deadline deadline = Deadline::After(kNow, seconds(3)).KeepingBack(milliseconds(400));
  EXPECT_EQ(deadline.Remaining(kNow), milliseconds(2600));
}

}  // namespace
}  // namespace voicebridge

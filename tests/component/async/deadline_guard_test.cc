#include "common/async/deadline_guard.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <optional>

#include "common/async/clock.h"

namespace voicebridge::test {
namespace {

// Real time: no instant is asserted but "not before its deadline"; the upper bound only ends a
// failure.
class DeadlineGuardTest : public ::testing::Test {
 protected:
  DeadlineGuardTest()
      : guard(std::in_place, io.get_executor(), [this] { expired_at.push_back(clock.Now()); }) {}

  Deadline In(Duration budget) const { return Deadline::After(clock.Now(), budget); }
  void RunUntilIdle() { io.run_for(seconds(20)); }

  net::io_context io;
  SystemClock clock;
  std::vector<TimePoint> expired_at;
  std::optional<DeadlineGuard> guard;
};

TEST_F(DeadlineGuardTest, ExpiresOnceAndNotBeforeItsDeadline) {
  const Deadline deadline = In(milliseconds(5));
  guard->Arm(deadline);
  RunUntilIdle();
  ASSERT_EQ(expired_at.size(), 1U);
  EXPECT_TRUE(deadline.HasPassed(expired_at[0]));
}

TEST_F(DeadlineGuardTest, CanBeArmedAgainAfterItExpired) {
  guard->Arm(In(milliseconds(1)));
  RunUntilIdle();
  io.restart();
  guard->Arm(In(milliseconds(1)));
  RunUntilIdle();
  EXPECT_EQ(expired_at.size(), 2U);
}

TEST_F(DeadlineGuardTest, DoesNotExpireWhenDisarmedInTime) {
  guard->Arm(In(milliseconds(1)));
  guard->Disarm();
  RunUntilIdle();
  EXPECT_TRUE(expired_at.empty());
}

TEST_F(DeadlineGuardTest, ALaterDeadlineReplacesAnEarlierOne) {
  const Deadline later = In(milliseconds(40));
  guard->Arm(In(milliseconds(1)));
  guard->Arm(later);
  RunUntilIdle();
  ASSERT_EQ(expired_at.size(), 1U);
  EXPECT_TRUE(later.HasPassed(expired_at[0]));
}

TEST_F(DeadlineGuardTest, AnEarlierDeadlineReplacesALaterOne) {
  const Deadline later = In(seconds(10));
  guard->Arm(later);
  guard->Arm(In(milliseconds(1)));
  RunUntilIdle();
  ASSERT_EQ(expired_at.size(), 1U);
  EXPECT_FALSE(later.HasPassed(expired_at[0]));
}

TEST_F(DeadlineGuardTest, RearmedAfterDisarmStillExpires) {
  guard->Arm(In(milliseconds(30)));
  guard->Disarm();
  const Deadline deadline = In(milliseconds(5));
  guard->Arm(deadline);
  RunUntilIdle();
  ASSERT_EQ(expired_at.size(), 1U);
  EXPECT_TRUE(deadline.HasPassed(expired_at[0]));
}

TEST_F(DeadlineGuardTest, NeverExpiresWithoutADeadline) {
  guard->Arm(In(milliseconds(1)));
  guard->Arm(Deadline::Never());
  RunUntilIdle();
  EXPECT_TRUE(expired_at.empty());
}

TEST_F(DeadlineGuardTest, DestructionDisarmsAtOnce) {
  const TimePoint start = clock.Now();
  guard->Arm(In(seconds(10)));
  guard.reset();
  RunUntilIdle();
  EXPECT_TRUE(expired_at.empty());
  EXPECT_LT(clock.Now() - start, seconds(10));
}

TEST_F(DeadlineGuardTest, MayBeDestroyedByItsOwnExpiry) {
  std::optional<DeadlineGuard> own;
  own.emplace(io.get_executor(), [&own] { own.reset(); });
  own->Arm(In(milliseconds(1)));
  RunUntilIdle();
  EXPECT_FALSE(own.has_value());
}

}  // namespace
}  // namespace voicebridge::test

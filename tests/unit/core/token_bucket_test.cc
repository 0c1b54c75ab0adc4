#include "common/core/token_bucket.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace voicebridge {
namespace {

const TimePoint kStart{hours(1)};

TEST(TokenBucket, GivesTheBurstAtOnceAndThenOneInEachInterval) {
  const Rate rate = Rate::Of(10, seconds(1), 3);
  TokenBucket bucket;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(bucket.Take(rate, kStart), Duration::zero()) << i;
  }
  EXPECT_EQ(bucket.Take(rate, kStart), milliseconds(100));
  EXPECT_EQ(bucket.Take(rate, kStart + milliseconds(99)), milliseconds(1))
      << "asking costs nothing";
  EXPECT_EQ(bucket.Take(rate, kStart + milliseconds(100)), Duration::zero());
  EXPECT_EQ(bucket.Take(rate, kStart + milliseconds(100)), milliseconds(100));
}

TEST(TokenBucket, KeepsNoMoreThanTheBurstHoweverLongItRests) {
  const Rate rate = Rate::Of(10, seconds(1), 3);
  TokenBucket bucket;
  bucket.Take(rate, kStart);
  const TimePoint later = kStart + hours(5);
  int taken = 0;
  while (bucket.Take(rate, later) == Duration::zero()) {
    ++taken;
  }
  EXPECT_EQ(taken, 3);
}

TEST(TokenBucket, WithoutARateNeverRunsOut) {
  TokenBucket bucket;
  for (int i = 0; i < 100000; ++i) {
    ASSERT_EQ(bucket.Take(Rate::Of(0, seconds(1), 0), kStart), Duration::zero());
  }
}

// What is left is kept as time, and counted up bit by bit.
class SlowBucket {
 public:
  explicit SlowBucket(const Rate& rate) : rate_(rate), left_(rate.interval * rate.burst) {}

  bool Take(TimePoint now) {
    left_ = std::min(rate_.interval * rate_.burst, left_ + (now - last_));
    last_ = now;
    if (left_ < rate_.interval) {
      return false;
    }
    left_ -= rate_.interval;
    return true;
  }

 private:
  const Rate rate_;
  Duration left_;
  TimePoint last_ = kStart;
};

TEST(TokenBucket, AgreesWithASlowOneAtAnyTimes) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&](std::int64_t limit) {
      return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(limit));
    };
    const Rate rate = Rate::Of(1 + below(1000), seconds(1 + below(60)), 1 + below(50));
    TokenBucket bucket;
    SlowBucket slow(rate);
    TimePoint now = kStart;
    for (int step = 0; step < 500; ++step) {
      now += below(3) == 0 ? Duration::zero() : rate.interval * below(30) / 10;
      const Duration wait = bucket.Take(rate, now);
      ASSERT_EQ(wait == Duration::zero(), slow.Take(now)) << "seed " << seed << " step " << step;
      ASSERT_LE(wait, rate.interval);
    }
  }
}

}  // namespace
}  // namespace voicebridge

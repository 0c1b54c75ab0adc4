#include "common/core/rate_bound.h"

#include <gtest/gtest.h>

namespace voicebridge {
namespace {

const TimePoint kStart{hours(1)};

TEST(RateBound, LetsSoManyPassInAPeriod) {
  RateBound bound(2, seconds(1));
  EXPECT_EQ(bound.Pass(kStart), 0);
  EXPECT_EQ(bound.Pass(kStart + milliseconds(500)), 0);
  EXPECT_EQ(bound.Pass(kStart + milliseconds(600)), std::nullopt);
  EXPECT_EQ(bound.Pass(kStart + milliseconds(999)), std::nullopt);
}

TEST(RateBound, TheNextThatPassesSaysHowManyWereKeptBack) {
  RateBound bound(1, seconds(1));
  bound.Pass(kStart);
  bound.Pass(kStart);
  bound.Pass(kStart);
  EXPECT_EQ(bound.Pass(kStart + seconds(1)), 2);
  EXPECT_EQ(bound.Pass(kStart + seconds(2)), 0);
}

}  // namespace
}  // namespace voicebridge

#include "common/observability/log_budget.h"

#include <gtest/gtest.h>

namespace voicebridge {
namespace {

TEST(LogBudget, LeavesOutWhatIsTooMuchAndSaysHowMuchThatWas) {
  LogBudget budget(Rate::Of(1, seconds(1), 2));
  const TimePoint start{hours(1)};
  EXPECT_EQ(budget.Admit(start), 0);
  EXPECT_EQ(budget.Admit(start), 0);
  for (int i = 0; i < 7; ++i) {
    EXPECT_EQ(budget.Admit(start + milliseconds(i)), std::nullopt);
  }
  EXPECT_EQ(budget.Admit(start + seconds(1)), 7);
  EXPECT_EQ(budget.Admit(start + seconds(1)), std::nullopt);
  EXPECT_EQ(budget.Admit(start + seconds(10)), 1) << "each is told once";
  EXPECT_EQ(budget.Admit(start + seconds(10)), 0);
}

}  // namespace
}  // namespace voicebridge

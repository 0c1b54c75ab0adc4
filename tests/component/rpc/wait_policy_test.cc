#include "common/runtime/wait_policy.h"

#include <gtest/gtest.h>

namespace voicebridge {
namespace {

TEST(NapAfter, IsBriefWhileThereWasWorkWithinOneFrameInterval) {
  EXPECT_EQ(NapAfter(Duration::zero(), 1), microseconds(250));
  EXPECT_EQ(NapAfter(milliseconds(20) - microseconds(1), 1), microseconds(250));
  EXPECT_EQ(NapAfter(milliseconds(1), 0), microseconds(250));
}

TEST(NapAfter, IsLongerWhenSessionsAreQuiet) {
  EXPECT_EQ(NapAfter(milliseconds(20), 1), milliseconds(1));
  EXPECT_EQ(NapAfter(hours(1), 200), milliseconds(1));
}

TEST(NapAfter, IsLongestWithoutSessions) { EXPECT_EQ(NapAfter(seconds(1), 0), milliseconds(5)); }

}  // namespace
}  // namespace voicebridge

// How loudly the end of a session is logged.
#include "common/observability/end_reason_level.h"

#include <gtest/gtest.h>

namespace voicebridge {
namespace {

TEST(EndReasonLevel, TellsWhatNeedsSomebodyFromWhatDoesNot) {
  EXPECT_EQ(LevelOf(v1::END_REASON_INTERNAL), LogLevel::kError);
  EXPECT_EQ(LevelOf(v1::END_REASON_UPSTREAM_REFUSED), LogLevel::kError);
  EXPECT_EQ(LevelOf(v1::END_REASON_UPSTREAM_LOST), LogLevel::kWarning);
  EXPECT_EQ(LevelOf(v1::END_REASON_WORKER_LOST), LogLevel::kWarning);
  EXPECT_EQ(LevelOf(v1::END_REASON_CLIENT_CLOSED), LogLevel::kInfo);
  EXPECT_EQ(LevelOf(v1::END_REASON_SESSION_LIMIT), LogLevel::kInfo);
  EXPECT_EQ(LevelOf(v1::END_REASON_DRAINING), LogLevel::kInfo);
}

}  // namespace
}  // namespace voicebridge

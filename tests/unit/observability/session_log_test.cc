// What the log says of a session's end.
#include "common/observability/session_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/recording_logger.h"

namespace voicebridge {
namespace {

using testing::ElementsAre;

TEST(SessionLog, SaysTheStepsOfAnEnd) {
  RecordingLogger logger;
  LogCleanupBegin(logger, "sess_1", 4);
  LogCleanupEnd(logger, "sess_1", milliseconds(20), {});
  LogRemoved(logger, "sess_1", v1::END_REASON_DRAINING, milliseconds(21));
  EXPECT_THAT(logger.lines(),
              ElementsAre("info    test bridge.cleanup.begin session=sess_1 tasks=4",
                          "info    test bridge.cleanup.end session=sess_1 ms=20 abandoned=0",
                          "info    test session.removed session=sess_1 reason=draining",
                          "info    test session.cleanup.end session=sess_1 ms=21"));
}

TEST(SessionLog, WarnsOfTasksThatWereGivenUpAndNamesThem) {
  RecordingLogger logger;
  LogCleanupEnd(logger, "sess_1", seconds(2), {"read client", "tool"});
  EXPECT_THAT(
      logger.lines(),
      ElementsAre(R"(warning test bridge.cleanup.timeout session=sess_1 names="read client tool")",
                  "info    test bridge.cleanup.end session=sess_1 ms=2000 abandoned=2"));
}

}  // namespace
}  // namespace voicebridge

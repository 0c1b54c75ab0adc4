// The order of assessments that wait.
#include <gtest/gtest.h>

#include "bridge_worker/interview/assessment_queue.h"

namespace voicebridge::worker::test {
namespace {

constexpr TimePoint kNow(hours(1));

QueuedAssessment Entry(const std::string& name, Duration left = seconds(60)) {
  return {name, "session_" + name, kNow + left};
}

std::string MovedOf(AssessmentQueue& queue) {
  std::string text;
  for (const auto& moved : queue.TakeMoved()) {
    text += moved.session_id.substr(8) + std::to_string(moved.position) + " ";
  }
  return text;
}

TEST(AssessmentQueue, IsFirstInFirstOutAndTellsPositionsWhenTheyChange) {
  AssessmentQueue queue;
  for (const char* const name : {"a", "b", "c"}) {
    EXPECT_TRUE(queue.Push(Entry(name)));
  }
  EXPECT_EQ(MovedOf(queue), "a1 b2 c3 ");
  EXPECT_EQ(MovedOf(queue), "");
  EXPECT_EQ(queue.TakeFirst()->assessment_id, "a");
  EXPECT_EQ(MovedOf(queue), "b1 c2 ");
  queue.Remove("b");
  EXPECT_EQ(MovedOf(queue), "c1 ");
  EXPECT_EQ(queue.PositionOf("c"), 1U);
  EXPECT_EQ(queue.PositionOf("b"), 0U);
}

TEST(AssessmentQueue, HoldsEachAssessmentOnce) {
  AssessmentQueue queue;
  EXPECT_TRUE(queue.Push(Entry("a")));
  EXPECT_FALSE(queue.Push(Entry("a")));
  queue.PutBack(Entry("a"));
  EXPECT_EQ(queue.size(), 1U);
}

TEST(AssessmentQueue, PutsBackToTheFront) {
  AssessmentQueue queue;
  queue.Push(Entry("a"));
  queue.Push(Entry("b"));
  queue.PutBack(*queue.TakeFirst());
  EXPECT_EQ(queue.TakeFirst()->assessment_id, "a");
}

TEST(AssessmentQueue, GivesOutWhatHasWaitedTooLong) {
  AssessmentQueue queue;
  EXPECT_EQ(queue.NextExpiry(), std::nullopt);
  queue.Push(Entry("a", seconds(20)));
  queue.Push(Entry("b", seconds(10)));
  queue.Push(Entry("c", seconds(30)));
  EXPECT_EQ(queue.NextExpiry(), kNow + seconds(10));
  EXPECT_TRUE(queue.TakeExpired(kNow + seconds(10) - milliseconds(1)).empty());
  EXPECT_EQ(queue.TakeExpired(kNow + seconds(20)).size(), 2U);
  EXPECT_EQ(queue.TakeFirst()->assessment_id, "c");
  EXPECT_TRUE(queue.empty());
}

}  // namespace
}  // namespace voicebridge::worker::test

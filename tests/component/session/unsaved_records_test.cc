// Which sessions have something that is not in the store yet, and who waits for that.
#include "bridge_worker/session/unsaved_records.h"

#include <gmock/gmock.h>

#include <string>
#include <thread>
#include <vector>

#include "tests/component/async/async_fixture.h"

namespace voicebridge::worker {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class UnsavedRecordsTest : public voicebridge::test::AsyncTest {
 protected:
  UnsavedRecordsTest() : lost(registry), unsaved(io.get_executor(), lost) {}

  Awaitable<void> Wait(Deadline deadline) {
    is_empty = co_await unsaved.WaitUntilEmpty(clock, deadline);
  }

  prometheus::Registry registry;
  LostRecords lost;
  UnsavedRecords unsaved;
  std::optional<bool> is_empty;  // Once the wait is over.
};

TEST_F(UnsavedRecordsTest, NamesASessionUntilAllOfItHasLeft) {
  EXPECT_TRUE(unsaved.empty());
  unsaved.Enter("b");
  unsaved.Enter("a");
  unsaved.Enter("a");  // Its next attachment.
  EXPECT_THAT(unsaved.names(), ElementsAre("a", "b"));
  unsaved.Leave("a");
  EXPECT_THAT(unsaved.names(), ElementsAre("a", "b"));
  unsaved.Leave("a");
  EXPECT_THAT(unsaved.names(), ElementsAre("b"));
  unsaved.Leave("b");
  EXPECT_TRUE(unsaved.empty());
}

TEST_F(UnsavedRecordsTest, AWaitForNothingIsOverAtOnce) {
  Start("wait", Wait(Deadline::Never()));
  EXPECT_EQ(is_empty, true);
}

TEST_F(UnsavedRecordsTest, AWaitIsOverWithTheLastOne) {
  unsaved.Enter("a");
  unsaved.Enter("b");
  Start("wait", Wait(In(seconds(3))));
  unsaved.Leave("a");
  clock.RunReady();
  EXPECT_FALSE(is_empty);
  unsaved.Leave("b");
  clock.RunReady();
  EXPECT_EQ(is_empty, true);
}

TEST_F(UnsavedRecordsTest, AWaitIsOverAtItsDeadline) {
  unsaved.Enter("a");
  Start("wait", Wait(In(seconds(3))));
  clock.Advance(seconds(3) - milliseconds(1));
  EXPECT_FALSE(is_empty);
  clock.Advance(milliseconds(1));
  EXPECT_EQ(is_empty, false);
  EXPECT_THAT(unsaved.names(), ElementsAre("a"));
}

TEST_F(UnsavedRecordsTest, WhatWasGivenUpIsNamedAndCountedAndNotWaitedFor) {
  unsaved.Enter("a");
  Start("wait", Wait(In(seconds(3))));
  unsaved.GiveUp("a");
  clock.RunReady();
  EXPECT_EQ(is_empty, true);
  EXPECT_THAT(unsaved.names(), ElementsAre("a"));
  EXPECT_EQ(lost.CountOf(RecordKind::kSession), 1);
}

TEST_F(UnsavedRecordsTest, WhatHasBeenToldOfIsNotNamedAgain) {
  unsaved.Enter("a");
  unsaved.GiveUp("a");
  unsaved.Enter("b");
  unsaved.ForgetLost();
  EXPECT_THAT(unsaved.names(), ElementsAre("b"));
  EXPECT_EQ(lost.CountOf(RecordKind::kSession), 1) << "a count never goes back";
}

TEST_F(UnsavedRecordsTest, OfThoseThatWereGivenUpTheNewestAreRemembered) {
  for (std::size_t i = 0; i <= UnsavedRecords::kLostMax; ++i) {
    const std::string id = "sess_" + std::to_string(i);
    unsaved.Enter(id);
    unsaved.GiveUp(id);
  }
  const std::vector<std::string> names = unsaved.names();
  EXPECT_EQ(names.size(), UnsavedRecords::kLostMax);
  EXPECT_THAT(names, testing::Not(testing::Contains("sess_0")));
  EXPECT_EQ(lost.CountOf(RecordKind::kSession), UnsavedRecords::kLostMax + 1);
}

TEST_F(UnsavedRecordsTest, ManyThreadsEnterAndLeave) {
  unsaved.Enter("last");
  Start("wait", Wait(Deadline::Never()));
  std::vector<std::thread> threads;
  for (const char* id : {"a", "b", "a"}) {
    threads.emplace_back([this, id] {
      for (int i = 0; i < 1'000; ++i) {
        unsaved.Enter(id);
        unsaved.Leave(id);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  clock.RunReady();
  EXPECT_FALSE(is_empty);
  unsaved.Leave("last");
  clock.RunReady();
  EXPECT_EQ(is_empty, true);
  EXPECT_THAT(unsaved.names(), IsEmpty());
}

}  // namespace
}  // namespace voicebridge::worker

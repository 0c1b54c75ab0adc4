#include "common/async/mailbox.h"

#include <gmock/gmock.h>

#include <memory>
#include <optional>

#include "tests/component/async/async_fixture.h"

namespace voicebridge::test {
namespace {

using ::testing::ElementsAre;

constexpr std::size_t kHighWater = 100;
constexpr std::size_t kLowWater = 50;

using Box = Mailbox<std::string>;

Awaitable<void> PopAll(Box& box, std::vector<std::string>& out, bool& ended) {
  std::optional<std::string> item = co_await box.Pop();
  while (item) {
    out.push_back(*item);
    item = co_await box.Pop();
  }
  ended = true;
}

Awaitable<void> WaitForRoomInto(Box& box, Clock& clock, Deadline deadline,
                                std::optional<bool>& room) {
  room = co_await box.WaitForRoom(clock, deadline);
}

Awaitable<void> WaitForStopThenRoom(Box& box, ManualClock& clock, Deadline deadline,
                                    std::optional<bool>& room) {
  co_await clock.SleepUntil(Deadline::Never());
  room = co_await box.WaitForRoom(clock, deadline);
}

class MailboxTest : public AsyncTest {
 protected:
  Box box{io.get_executor(), kHighWater, kLowWater};
  std::vector<std::string> received;
  bool ended = false;
};

TEST_F(MailboxTest, DeliversInOrderAndWakesAWaitingConsumer) {
  Start("consumer", PopAll(box, received, ended));
  EXPECT_TRUE(box.Push("a", 1));
  EXPECT_TRUE(box.Push("b", 1));
  clock.RunReady();
  EXPECT_TRUE(box.Push("c", 1));
  clock.RunReady();
  EXPECT_THAT(received, ElementsAre("a", "b", "c"));
  EXPECT_FALSE(ended);
}

TEST_F(MailboxTest, TheControlLaneOvertakesWhatIsQueued) {
  box.Push("audio 1", 10);
  box.Push("audio 2", 10);
  box.PushControl("control 1", 1);
  box.PushControl("control 2", 1);
  EXPECT_EQ(box.TryPop(), "control 1");
  EXPECT_EQ(box.TryPop(), "control 2");
  EXPECT_EQ(box.TryPop(), "audio 1");
  EXPECT_EQ(box.TryPop(), "audio 2");
  EXPECT_EQ(box.TryPop(), std::nullopt);
}

TEST_F(MailboxTest, CountsTheBytesOfBothLanes) {
  box.Push("a", 30);
  box.PushControl("b", 12);
  EXPECT_EQ(box.bytes(), 42U);
  box.TryPop();
  EXPECT_EQ(box.bytes(), 30U);
  box.TryPop();
  EXPECT_EQ(box.bytes(), 0U);
  EXPECT_TRUE(box.empty());
}

TEST_F(MailboxTest, HasRoomUpToItsHighWaterMark) {
  box.Push("full", kHighWater);
  EXPECT_TRUE(box.HasRoom());
  box.Push("one more", 1);
  EXPECT_FALSE(box.HasRoom());
}

TEST_F(MailboxTest, CloseDeliversWhatItHoldsThenEnds) {
  box.Push("a", 1);
  box.PushControl("b", 1);
  box.Close();
  EXPECT_FALSE(box.Push("late", 1));
  EXPECT_FALSE(box.PushControl("late", 1));
  Start("consumer", PopAll(box, received, ended));
  EXPECT_THAT(received, ElementsAre("b", "a"));
  EXPECT_TRUE(ended);
}

TEST_F(MailboxTest, CloseEndsAWaitingConsumer) {
  Start("consumer", PopAll(box, received, ended));
  EXPECT_FALSE(ended);
  box.Close();
  clock.RunReady();
  EXPECT_TRUE(ended);
}

TEST_F(MailboxTest, DiscardForgetsWhatIsQueuedAndEnds) {
  box.Push("a", 1);
  box.PushControl("b", 1);
  box.Discard();
  EXPECT_EQ(box.bytes(), 0U);
  Start("consumer", PopAll(box, received, ended));
  EXPECT_TRUE(received.empty());
  EXPECT_TRUE(ended);
}

TEST_F(MailboxTest, CancellationEndsAWaitingConsumer) {
  Start("consumer", PopAll(box, received, ended));
  tasks.CancelAll();
  clock.RunReady();
  EXPECT_TRUE(ended);
}

TEST_F(MailboxTest, RoomIsThereUpToTheHighWaterMark) {
  box.Push("full", kHighWater);
  std::optional<bool> room;
  Start("producer", WaitForRoomInto(box, clock, In(seconds(10)), room));
  EXPECT_EQ(room, true);
}

TEST_F(MailboxTest, APausedProducerResumesAtTheLowWaterMarkAndNotBefore) {
  box.Push("a", 51);
  box.Push("b", 10);
  box.Push("c", 40);
  std::optional<bool> room;
  Start("producer", WaitForRoomInto(box, clock, In(seconds(10)), room));
  EXPECT_EQ(room, std::nullopt);

  box.RemoveIf([](const std::string& item) { return item == "b"; });  // 91: below high water.
  clock.RunReady();
  EXPECT_EQ(room, std::nullopt);

  box.TryPop();  // 40.
  clock.RunReady();
  EXPECT_EQ(room, true);
}

TEST_F(MailboxTest, AProducerGivesUpExactlyAtItsDeadline) {
  box.Push("too much", kHighWater + 1);
  std::optional<bool> room;
  Start("producer", WaitForRoomInto(box, clock, In(seconds(10)), room));
  clock.Advance(seconds(10) - milliseconds(1));
  EXPECT_EQ(room, std::nullopt);
  clock.Advance(milliseconds(1));
  EXPECT_EQ(room, false);
}

TEST_F(MailboxTest, TheDeadlineIsMissedWhenTheQueueDidNotReachLowWaterInTime) {
  box.Push("a", 60);
  box.Push("b", 60);
  std::optional<bool> room;
  Start("producer", WaitForRoomInto(box, clock, In(seconds(10)), room));
  box.TryPop();  // 60: between the marks.
  clock.Advance(seconds(10));
  EXPECT_EQ(room, false);
}

TEST_F(MailboxTest, ClosingEndsTheWaitForRoom) {
  box.Push("too much", kHighWater + 1);
  std::optional<bool> room;
  Start("producer", WaitForRoomInto(box, clock, In(seconds(10)), room));
  box.Close();
  clock.RunReady();
  EXPECT_EQ(room, true);
}

TEST_F(MailboxTest, AllWaitingProducersResumeThoughOneGaveUpBefore) {
  box.Push("too much", kHighWater + 1);
  std::optional<bool> impatient;
  std::optional<bool> patient;
  Start("impatient", WaitForRoomInto(box, clock, In(seconds(1)), impatient));
  Start("patient", WaitForRoomInto(box, clock, In(seconds(10)), patient));
  clock.Advance(seconds(1));
  EXPECT_EQ(impatient, false);
  EXPECT_EQ(patient, std::nullopt);

  box.TryPop();
  clock.RunReady();
  EXPECT_EQ(patient, true);
}

TEST_F(MailboxTest, CancellationEndsTheWaitForRoom) {
  box.Push("too much", kHighWater + 1);
  std::optional<bool> room;
  Start("producer", WaitForRoomInto(box, clock, In(seconds(10)), room));
  tasks.CancelAll();
  clock.RunReady();
  EXPECT_EQ(room, false);
}

TEST_F(MailboxTest, ACancelledProducerDoesNotWaitForRoomAtAll) {
  box.Push("too much", kHighWater + 1);
  std::optional<bool> room;
  Start("producer", WaitForStopThenRoom(box, clock, In(seconds(10)), room));
  tasks.CancelAll();
  clock.RunReady();
  EXPECT_EQ(room, false);
}

TEST_F(MailboxTest, RemoveIfTakesMatchingItemsOfTheOrdinaryLaneOnly) {
  box.Push("audio of r1", 10);
  box.Push("event", 5);
  box.Push("audio of r1", 10);
  box.PushControl("audio of r1", 3);
  EXPECT_EQ(box.RemoveIf([](const std::string& item) { return item == "audio of r1"; }), 2U);
  EXPECT_EQ(box.bytes(), 8U);
  EXPECT_EQ(box.TryPop(), "audio of r1");
  EXPECT_EQ(box.TryPop(), "event");
  EXPECT_TRUE(box.empty());
}

TEST_F(MailboxTest, CarriesItemsThatCanOnlyBeMoved) {
  Mailbox<std::unique_ptr<int>> moving(io.get_executor(), kHighWater, kLowWater);
  moving.Push(std::make_unique<int>(7), 1);
  const std::optional<std::unique_ptr<int>> item = moving.TryPop();
  ASSERT_TRUE(item.has_value());
  EXPECT_EQ(**item, 7);
}

}  // namespace
}  // namespace voicebridge::test

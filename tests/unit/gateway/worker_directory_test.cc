#include "gateway/workers/worker_directory.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

namespace voicebridge::gateway {
namespace {

v1::WorkerStatus Status(std::uint64_t number, v1::WorkerStatus::State state,
                        std::uint32_t sessions = 0, const std::string& start_id = "start_1") {
  v1::WorkerStatus status;
  status.set_number(number);
  status.set_state(state);
  status.set_sessions(sessions);
  status.set_capacity(10);
  status.set_start_id(start_id);
  return status;
}

// A directory, and the time that its worker a:1 is heard at.
class WorkerDirectoryTest : public testing::Test {
 protected:
  WorkerDirectoryTest() : directory_({"a:1", "b:1"}) {}

  void Advance(Duration step) { now_ += step; }
  void Hear(const v1::WorkerStatus& status) { directory_.OnStatus("a:1", status, now_); }
  WorkerState State(std::size_t index = 0) const { return directory_.Snapshot()->at(index).state; }

  // What is left until the worker is given up for its silence.
  Duration Patience() const { return directory_.SilentAt("a:1").Remaining(now_); }

  WorkerDirectory directory_;
  TimePoint now_{hours(1)};
};

TEST_F(WorkerDirectoryTest, KnowsNothingOfAWorkerUntilItSpeaks) {
  const WorkerDirectory directory({"a:1", "b:1", "a:1"});
  ASSERT_EQ(directory.Snapshot()->size(), 2U);
  EXPECT_EQ(directory.Snapshot()->front().state, WorkerState::kUnknown);
  EXPECT_TRUE(directory.SilentAt("a:1").IsNever());
  EXPECT_TRUE(directory.SilentAt("elsewhere:1").IsNever());
}

TEST_F(WorkerDirectoryTest, FollowsWhatAWorkerSays) {
  Hear(Status(1, v1::WorkerStatus::SERVING, 3));
  EXPECT_EQ(directory_.Snapshot()->front(), (WorkerView{"a:1", WorkerState::kServing, 3, 10}));
  Hear(Status(2, v1::WorkerStatus::FULL, 10));
  EXPECT_EQ(State(), WorkerState::kFull);
  Hear(Status(3, v1::WorkerStatus::DRAINING));
  EXPECT_EQ(State(), WorkerState::kDraining);
  Hear(Status(4, v1::WorkerStatus::SERVING));
  EXPECT_EQ(State(), WorkerState::kServing) << "undrained";
  Hear(Status(5, v1::WorkerStatus::STATE_UNSPECIFIED));
  EXPECT_EQ(State(), WorkerState::kUnknown);
  EXPECT_EQ(State(1), WorkerState::kUnknown) << "the other one";
}

TEST_F(WorkerDirectoryTest, IgnoresAWorkerThatIsNotInTheList) {
  const auto before = directory_.Snapshot();
  directory_.OnStatus("elsewhere:1", Status(1, v1::WorkerStatus::SERVING), now_);
  directory_.OnWatchBroken("elsewhere:1");
  EXPECT_EQ(directory_.Snapshot(), before);
}

TEST_F(WorkerDirectoryTest, IgnoresANumberThatHasNotRisen) {
  Hear(Status(5, v1::WorkerStatus::DRAINING));
  Hear(Status(4, v1::WorkerStatus::SERVING));
  EXPECT_EQ(State(), WorkerState::kDraining);
  Hear(Status(5, v1::WorkerStatus::SERVING));
  EXPECT_EQ(State(), WorkerState::kDraining);
  Hear(Status(6, v1::WorkerStatus::SERVING));
  EXPECT_EQ(State(), WorkerState::kServing);
}

TEST_F(WorkerDirectoryTest, TakesANewStartForANewProcessAndNeverGoesBack) {
  Hear(Status(500, v1::WorkerStatus::DRAINING));
  Hear(Status(1, v1::WorkerStatus::SERVING, 0, "start_2"));
  EXPECT_EQ(State(), WorkerState::kServing);
  Hear(Status(501, v1::WorkerStatus::DRAINING));
  EXPECT_EQ(State(), WorkerState::kServing);
  Hear(Status(2, v1::WorkerStatus::FULL, 10, "start_2"));
  EXPECT_EQ(State(), WorkerState::kFull);
}

TEST_F(WorkerDirectoryTest, SuspectsAWorkerWhoseWatchBrokeUntilItSpeaksAgain) {
  for (const auto state :
       {v1::WorkerStatus::SERVING, v1::WorkerStatus::FULL, v1::WorkerStatus::DRAINING}) {
    Hear(Status(10 + static_cast<std::uint64_t>(state), state));
    directory_.OnWatchBroken("a:1");
    EXPECT_EQ(State(), WorkerState::kSuspect);
  }
  directory_.OnWatchBroken("b:1");
  EXPECT_EQ(State(1), WorkerState::kUnknown) << "never seen";
  Hear(Status(20, v1::WorkerStatus::SERVING));
  EXPECT_EQ(State(), WorkerState::kServing);
}

TEST_F(WorkerDirectoryTest, ASuspectIsNotTrustedForWhatItSaidBefore) {
  Hear(Status(7, v1::WorkerStatus::SERVING));
  directory_.OnWatchBroken("a:1");
  Hear(Status(7, v1::WorkerStatus::SERVING));
  EXPECT_EQ(State(), WorkerState::kSuspect);
}

TEST_F(WorkerDirectoryTest, AWorkerMayBeSilentForTwoSeconds) {
  Hear(Status(1, v1::WorkerStatus::SERVING));
  EXPECT_EQ(Patience(), seconds(2));
  Advance(milliseconds(500));
  Hear(Status(2, v1::WorkerStatus::SERVING));
  EXPECT_EQ(Patience(), seconds(2));
  Advance(milliseconds(1999));
  EXPECT_EQ(Patience(), milliseconds(1));
  Advance(milliseconds(1));
  EXPECT_TRUE(directory_.SilentAt("a:1").HasPassed(now_));
  EXPECT_TRUE(directory_.SilentAt("b:1").IsNever()) << "nothing is expected of one never seen";
}

TEST_F(WorkerDirectoryTest, WhatIsIgnoredIsNoSignOfLife) {
  Hear(Status(5, v1::WorkerStatus::SERVING));
  Hear(Status(1, v1::WorkerStatus::SERVING, 0, "start_2"));
  for (std::uint64_t i = 0; i < 4; ++i) {
    Advance(milliseconds(500));
    Hear(Status(1, v1::WorkerStatus::SERVING, 0, "start_2"));
    Hear(Status(100 + i, v1::WorkerStatus::SERVING));
  }
  EXPECT_EQ(Patience(), Duration::zero());
}

TEST_F(WorkerDirectoryTest, AWorkerThatLeftTheListCountsAsDrainingWhateverItSays) {
  Hear(Status(1, v1::WorkerStatus::SERVING, 3));
  directory_.OnList({"b:1", "c:1"});
  EXPECT_EQ(State(), WorkerState::kDraining);
  EXPECT_EQ(directory_.Snapshot()->at(2).address, "c:1");
  Hear(Status(2, v1::WorkerStatus::SERVING, 2));
  EXPECT_EQ(State(), WorkerState::kDraining);
  EXPECT_EQ(directory_.Snapshot()->front().sessions, 2U) << "it is still listened to";
}

TEST_F(WorkerDirectoryTest, AWorkerThatIsListedAgainIsWhatItSaysOfItself) {
  Hear(Status(1, v1::WorkerStatus::SERVING));
  directory_.OnList({"b:1"});
  Hear(Status(2, v1::WorkerStatus::FULL));
  directory_.OnList({"a:1", "b:1"});
  EXPECT_EQ(State(), WorkerState::kFull);
  Hear(Status(1, v1::WorkerStatus::SERVING));
  EXPECT_EQ(State(), WorkerState::kFull) << "what it said before still counts";
}

TEST_F(WorkerDirectoryTest, ForgetsAWorkerThatLeftTheListOnceItIsLost) {
  Hear(Status(1, v1::WorkerStatus::SERVING));
  directory_.OnList({"b:1"});
  EXPECT_TRUE(directory_.Knows("a:1"));
  directory_.OnWatchBroken("a:1");
  EXPECT_FALSE(directory_.Knows("a:1"));
  EXPECT_EQ(directory_.Snapshot()->size(), 1U);
  Hear(Status(2, v1::WorkerStatus::SERVING));
  EXPECT_FALSE(directory_.Knows("a:1"));
}

TEST_F(WorkerDirectoryTest, ForgetsAtOnceWhoLeftTheListAndIsNotHeard) {
  Hear(Status(1, v1::WorkerStatus::SERVING));
  directory_.OnWatchBroken("a:1");
  directory_.OnList({"c:1"});
  ASSERT_EQ(directory_.Snapshot()->size(), 1U);
  EXPECT_EQ(directory_.Snapshot()->front(), (WorkerView{"c:1", WorkerState::kUnknown, 0, 0}));
}

TEST_F(WorkerDirectoryTest, KeepsASnapshotAsItWasAndReplacesItOnlyOnChange) {
  const auto before = directory_.Snapshot();
  Hear(Status(1, v1::WorkerStatus::SERVING, 1));
  const auto after = directory_.Snapshot();
  EXPECT_EQ(before->front().state, WorkerState::kUnknown);
  EXPECT_EQ(after->front().state, WorkerState::kServing);
  Hear(Status(2, v1::WorkerStatus::SERVING, 1));
  EXPECT_EQ(directory_.Snapshot(), after);
}

WorkerView Serving(const std::string& address, std::uint32_t sessions, std::uint32_t capacity) {
  return {address, WorkerState::kServing, sessions, capacity};
}

TEST(ChooseWorker, RoutesOnlyToServingWorkersThatAreNotExcluded) {
  const WorkerViews workers = {{"unknown", WorkerState::kUnknown, 0, 10},
                               {"suspect", WorkerState::kSuspect, 0, 10},
                               {"draining", WorkerState::kDraining, 0, 10},
                               {"full", WorkerState::kFull, 0, 10},
                               Serving("good", 9, 10),
                               Serving("tried", 0, 10)};
  const std::vector<std::string> excluded = {"tried"};
  std::mt19937_64 random(1);
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(ChooseWorker(workers, excluded, random()), "good");
  }
  const std::vector<std::string> all = {"tried", "good"};
  EXPECT_EQ(ChooseWorker(workers, all, 1), std::nullopt);
  EXPECT_EQ(ChooseWorker({}, {}, 1), std::nullopt);
}

TEST(ChooseWorker, PrefersTheLowerShareOfCapacity) {
  const WorkerViews workers = {Serving("small", 2, 4), Serving("large", 3, 100)};
  std::mt19937_64 random(2);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(ChooseWorker(workers, {}, random()), "large");
  }
}

TEST(ChooseWorker, IsDecidedByItsRandomNumber) {
  const WorkerViews workers = {Serving("a", 1, 10), Serving("b", 1, 10), Serving("c", 1, 10)};
  EXPECT_EQ(ChooseWorker(workers, {}, 0), "a");
  EXPECT_EQ(ChooseWorker(workers, {}, 1), "b");
  EXPECT_EQ(ChooseWorker(workers, {}, 2), "c");
  const WorkerViews uneven = {Serving("a", 5, 10), Serving("b", 1, 10), Serving("c", 2, 10)};
  EXPECT_EQ(ChooseWorker(uneven, {}, 0), "b");                        // a against b.
  EXPECT_EQ(ChooseWorker(uneven, {}, std::uint64_t{1} << 32U), "c");  // a against c.
}

TEST(ChooseWorker, SpreadsSessionsEvenly) {
  constexpr std::uint32_t kWorkers = 8;
  constexpr std::uint32_t kSessionsEach = 100;
  WorkerViews workers;
  for (std::uint32_t i = 0; i < kWorkers; ++i) {
    workers.push_back(Serving(std::to_string(i), 0, 1000));
  }
  std::mt19937_64 random(3);
  for (std::uint32_t i = 0; i < kWorkers * kSessionsEach; ++i) {
    const std::string chosen = *ChooseWorker(workers, {}, random());
    ++workers[std::stoul(chosen)].sessions;
  }
  for (const WorkerView& worker : workers) {
    EXPECT_NEAR(worker.sessions, kSessionsEach, 5) << worker.address;
  }
}

TEST(ChooseWorker, CountsAttachesThatAreUnderWay) {
  const WorkerViews workers = {Serving("a", 3, 10), Serving("b", 5, 10)};
  EXPECT_EQ(ChooseWorker(workers, {}, 1), "a");
  {
    std::vector<UnansweredAttaches::Place> places;
    for (int i = 0; i < 3; ++i) {
      places.push_back(*CountAttach(workers, "a"));
    }
    EXPECT_EQ(ChooseWorker(workers, {}, 1), "b");
  }
  EXPECT_EQ(ChooseWorker(workers, {}, 1), "a") << "all are answered";
  EXPECT_FALSE(CountAttach(workers, "c").has_value());
}

// A burst: no status comes in time, nor does it while attaches wait for their answers.
TEST(ChooseWorker, SpreadsABurstEvenly) {
  const WorkerViews workers = {Serving("a", 0, 500), Serving("b", 0, 500), Serving("c", 0, 500)};
  std::vector<UnansweredAttaches::Place> places;
  std::mt19937_64 random(4);
  for (int i = 0; i < 300; ++i) {
    places.push_back(*CountAttach(workers, *ChooseWorker(workers, {}, random())));
  }
  for (const WorkerView& worker : workers) {
    EXPECT_NEAR(worker.attaching.count(), 100, 3) << worker.address;
  }
}

TEST_F(WorkerDirectoryTest, AttachesUnderWayOutliveTheViewInWhichTheyWereCounted) {
  Hear(Status(1, v1::WorkerStatus::SERVING, 1));
  const auto place = CountAttach(*directory_.Snapshot(), "a:1");
  Hear(Status(2, v1::WorkerStatus::SERVING, 2));
  EXPECT_EQ(directory_.Snapshot()->front().attaching.count(), 1U);
}

TEST(AskingOrder, BeginsWithThoseThatAnswerMostLikely) {
  const WorkerViews views = {
      {"unknown:1", WorkerState::kUnknown}, {"draining:1", WorkerState::kDraining},
      {"suspect:1", WorkerState::kSuspect}, {"full:1", WorkerState::kFull},
      {"serving:1", WorkerState::kServing}, {"serving:2", WorkerState::kServing}};
  EXPECT_EQ(AskingOrder(views), (std::vector<std::string>{"serving:1", "serving:2", "full:1",
                                                          "draining:1", "suspect:1", "unknown:1"}));
  EXPECT_TRUE(AskingOrder({}).empty());
}

}  // namespace
}  // namespace voicebridge::gateway

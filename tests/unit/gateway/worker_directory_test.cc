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

WorkerState StateOf(const WorkerDirectory& directory, std::size_t index = 0) {
  return directory.Snapshot()->at(index).state;
}

TEST(WorkerDirectory, KnowsNothingOfAWorkerUntilItSpeaks) {
  WorkerDirectory directory({"a:1", "b:1", "a:1"});
  ASSERT_EQ(directory.Snapshot()->size(), 2U);
  EXPECT_EQ(StateOf(directory), WorkerState::kUnknown);
}

TEST(WorkerDirectory, FollowsWhatAWorkerSays) {
  WorkerDirectory directory({"a:1"});
  directory.OnStatus("a:1", Status(1, v1::WorkerStatus::SERVING, 3));
  EXPECT_EQ(directory.Snapshot()->front(), (WorkerView{"a:1", WorkerState::kServing, 3, 10}));
  directory.OnStatus("a:1", Status(2, v1::WorkerStatus::FULL, 10));
  EXPECT_EQ(StateOf(directory), WorkerState::kFull);
  directory.OnStatus("a:1", Status(3, v1::WorkerStatus::DRAINING));
  EXPECT_EQ(StateOf(directory), WorkerState::kDraining);
  directory.OnStatus("a:1", Status(4, v1::WorkerStatus::STATE_UNSPECIFIED));
  EXPECT_EQ(StateOf(directory), WorkerState::kUnknown);
}

TEST(WorkerDirectory, IgnoresAnOlderNumberOfTheSameStart) {
  WorkerDirectory directory({"a:1"});
  directory.OnStatus("a:1", Status(5, v1::WorkerStatus::DRAINING));
  directory.OnStatus("a:1", Status(4, v1::WorkerStatus::SERVING));
  EXPECT_EQ(StateOf(directory), WorkerState::kDraining);
}

TEST(WorkerDirectory, TakesANewStartForANewProcessAndNeverGoesBack) {
  WorkerDirectory directory({"a:1"});
  directory.OnStatus("a:1", Status(500, v1::WorkerStatus::DRAINING));
  directory.OnStatus("a:1", Status(1, v1::WorkerStatus::SERVING, 0, "start_2"));
  EXPECT_EQ(StateOf(directory), WorkerState::kServing);
  directory.OnStatus("a:1", Status(501, v1::WorkerStatus::DRAINING));
  EXPECT_EQ(StateOf(directory), WorkerState::kServing);
}

TEST(WorkerDirectory, SuspectsAWorkerWhoseWatchBroke) {
  WorkerDirectory directory({"a:1", "b:1"});
  directory.OnStatus("a:1", Status(1, v1::WorkerStatus::SERVING));
  directory.OnWatchBroken("a:1");
  directory.OnWatchBroken("b:1");
  EXPECT_EQ(StateOf(directory, 0), WorkerState::kSuspect);
  EXPECT_EQ(StateOf(directory, 1), WorkerState::kUnknown);
  directory.OnStatus("a:1", Status(2, v1::WorkerStatus::SERVING));
  EXPECT_EQ(StateOf(directory, 0), WorkerState::kServing);
}

TEST(WorkerDirectory, KeepsASnapshotAsItWasAndReplacesItOnlyOnChange) {
  WorkerDirectory directory({"a:1"});
  const auto before = directory.Snapshot();
  directory.OnStatus("a:1", Status(1, v1::WorkerStatus::SERVING, 1));
  const auto after = directory.Snapshot();
  EXPECT_EQ(before->front().state, WorkerState::kUnknown);
  EXPECT_EQ(after->front().state, WorkerState::kServing);
  directory.OnStatus("a:1", Status(2, v1::WorkerStatus::SERVING, 1));
  EXPECT_EQ(directory.Snapshot(), after);
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

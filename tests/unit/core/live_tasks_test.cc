#include "common/core/live_tasks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <latch>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace voicebridge {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

std::map<std::string, std::int64_t> Kinds(const LiveTasks& tasks) {
  std::map<std::string, std::int64_t> kinds;
  tasks.ForEachKind([&kinds](std::string_view name, std::int64_t count) {
    EXPECT_TRUE(kinds.emplace(name, count).second) << name << " has two rows";
  });
  return kinds;
}

// Names that differ and are literals: each instantiation has an array of its own.
template <std::size_t kNumber>
struct Name {
  static constexpr char kText[] = {'t', 'a', 's', 'k', ' ', 'a' + kNumber / 26, 'a' + kNumber % 26,
                                   '\0'};
  static constexpr char kSameText[] = {
      't', 'a', 's', 'k', ' ', 'a' + kNumber / 26, 'a' + kNumber % 26, '\0'};
};

template <std::size_t... kNumbers>
std::vector<TaskName> NamesOf(std::index_sequence<kNumbers...>) {
  return {TaskName(Name<kNumbers>::kText)...};
}

template <std::size_t... kNumbers>
std::vector<TaskName> SameNamesOf(std::index_sequence<kNumbers...>) {
  return {TaskName(Name<kNumbers>::kSameText)...};
}

TEST(LiveTasks, CountsByKindAndInTotal) {
  LiveTasks tasks;
  EXPECT_THAT(Kinds(tasks), IsEmpty());
  const LiveTasks::Kind read = tasks.Add("read");
  const LiveTasks::Kind write = tasks.Add("write");
  tasks.Add("read");
  EXPECT_EQ(tasks.total(), 3);
  EXPECT_THAT(Kinds(tasks), ElementsAre(Pair("read", 2), Pair("write", 1)));
  tasks.Remove(write);
  tasks.Remove(read);
  EXPECT_EQ(tasks.total(), 1);
  EXPECT_THAT(Kinds(tasks), ElementsAre(Pair("read", 1)));
}

TEST(LiveTasks, EqualTextOfDifferentLiteralsIsOneKind) {
  ASSERT_NE(TaskName(Name<0>::kText).text(), TaskName(Name<0>::kSameText).text());
  LiveTasks tasks;
  EXPECT_EQ(tasks.Add(Name<0>::kText), tasks.Add(Name<0>::kSameText));
  EXPECT_THAT(Kinds(tasks), ElementsAre(Pair("task aa", 2)));
}

TEST(LiveTasks, WhatFindsNoRowIsCountedTogether) {
  LiveTasks tasks;
  constexpr std::size_t kNames = LiveTasks::kKindsMax + 3;
  std::vector<LiveTasks::Kind> added;
  for (const TaskName name : NamesOf(std::make_index_sequence<kNames>())) {
    added.push_back(tasks.Add(name));
  }
  const auto kinds = Kinds(tasks);
  EXPECT_EQ(kinds.size(), LiveTasks::kKindsMax + 1);
  EXPECT_EQ(kinds.at(std::string(LiveTasks::kOtherKinds)), 3);
  EXPECT_EQ(tasks.total(), static_cast<std::int64_t>(kNames));
  for (const LiveTasks::Kind kind : added) {
    tasks.Remove(kind);
  }
  EXPECT_THAT(Kinds(tasks), IsEmpty());
  EXPECT_EQ(tasks.total(), 0);
}

// Two threads that keep in step, so that they reach for the same row at the same time.
TEST(LiveTasks, NoRowIsTakenTwice) {
  constexpr std::size_t kTables = 20'000;
  std::vector<LiveTasks> tables(kTables);
  std::array<std::atomic<std::size_t>, 2> reached = {};
  std::array<std::vector<LiveTasks::Kind>, 2> kinds;
  const auto march = [&](std::size_t me, TaskName name) {
    for (std::size_t i = 0; i < kTables; ++i) {
      reached[me] = i;
      while (reached[1 - me] < i) {
        std::this_thread::yield();
      }
      kinds[me].push_back(tables[i].Add(name));
    }
    reached[me] = kTables;
  };
  std::thread other([&] { march(1, "write"); });
  march(0, "read");
  other.join();
  for (std::size_t i = 0; i < kTables; ++i) {
    EXPECT_NE(kinds[0][i], kinds[1][i]);
    EXPECT_THAT(Kinds(tables[i]), ElementsAre(Pair("read", 1), Pair("write", 1)));
  }
}

// All threads meet an empty table, so that they race for the rows; half of them write the names
// elsewhere.
TEST(LiveTasks, ThreadsThatRaceForTheRowsAgree) {
  constexpr std::size_t kNames = LiveTasks::kKindsMax + 4;
  constexpr int kThreads = 4;
  constexpr int kRounds = 100;
  const auto names = NamesOf(std::make_index_sequence<kNames>());
  const auto same_names = SameNamesOf(std::make_index_sequence<kNames>());
  for (int round = 0; round < kRounds; ++round) {
    LiveTasks tasks;
    std::latch start(kThreads + 1);
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&tasks, &start, &mine = i % 2 == 0 ? names : same_names] {
        start.arrive_and_wait();
        for (const TaskName name : mine) {
          tasks.Remove(tasks.Add(name));
          tasks.Add(name);
        }
      });
    }
    start.arrive_and_wait();
    // A reader meets names without a count and counts that change, but nothing else.
    tasks.ForEachKind([](std::string_view name, std::int64_t count) {
      EXPECT_FALSE(name.empty());
      EXPECT_GT(count, 0);
    });
    for (std::thread& thread : threads) {
      thread.join();
    }
    EXPECT_EQ(tasks.total(), static_cast<std::int64_t>(kNames) * kThreads);
    for (const auto& [name, count] : Kinds(tasks)) {
      EXPECT_EQ(count, name == LiveTasks::kOtherKinds ? kThreads * 4 : kThreads) << name;
    }
  }
}

}  // namespace
}  // namespace voicebridge

#include "tests/load/schedule.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace voicebridge::load {
namespace {

constexpr std::size_t kSessions = 200;
constexpr Duration kInterval = milliseconds(40);

TEST(SendSchedule, GivesEverySessionOneFramePerInterval) {
  const SendSchedule schedule(kSessions, kInterval, 5, 7);
  ASSERT_EQ(schedule.total(), kSessions * 5);
  std::vector<std::vector<Duration>> due(kSessions);
  for (std::uint64_t i = 0; i < schedule.total(); ++i) {
    const auto slot = schedule.At(i);
    ASSERT_EQ(slot.frame, due[slot.session].size());
    due[slot.session].push_back(slot.due);
  }
  for (const auto& instants : due) {
    ASSERT_EQ(instants.size(), 5U);
    for (std::size_t frame = 1; frame < instants.size(); ++frame) {
      EXPECT_EQ(instants[frame] - instants[frame - 1], kInterval);
    }
  }
}

TEST(SendSchedule, NeverGoesBackInTime) {
  const SendSchedule schedule(kSessions, kInterval, 3, 7);
  Duration last = Duration::zero();
  for (std::uint64_t i = 0; i < schedule.total(); ++i) {
    EXPECT_LE(last, schedule.At(i).due);
    last = schedule.At(i).due;
  }
}

TEST(SendSchedule, SpreadsTheSessionsEvenlyOverTheInterval) {
  const SendSchedule schedule(kSessions, kInterval, 1, 7);
  for (std::uint64_t i = 0; i < kSessions; ++i) {
    const Duration stratum = kInterval / kSessions;
    EXPECT_GE(schedule.At(i).due, stratum * static_cast<int>(i));
    EXPECT_LE(schedule.At(i).due, stratum * static_cast<int>(i + 1));
  }
}

TEST(SendSchedule, IsTheSameForTheSameSeedOnly) {
  const auto order = [](std::uint64_t seed) {
    const SendSchedule schedule(kSessions, kInterval, 1, seed);
    std::vector<std::pair<std::size_t, Duration>> slots;
    for (std::uint64_t i = 0; i < schedule.total(); ++i) {
      slots.emplace_back(schedule.At(i).session, schedule.At(i).due);
    }
    return slots;
  };
  EXPECT_EQ(order(1), order(1));
  EXPECT_NE(order(1), order(2));
}

TEST(SendSchedule, KnowsThePhaseOfASession) {
  const SendSchedule schedule(10, kInterval, 2, 7);
  for (std::uint64_t i = 0; i < 10; ++i) {
    EXPECT_EQ(schedule.PhaseOf(schedule.At(i).session), schedule.At(i).due);
  }
}

}  // namespace
}  // namespace voicebridge::load

// Random interviews keep the invariants, meet everything that can happen, and find what is broken.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <set>
#include <string>
#include <string_view>

#include "tests/unit/conversation/interview_world.h"

namespace voicebridge::worker {
namespace {

constexpr unsigned kShards = 10;
constexpr unsigned kRunsOfShard = 10'000;  // Of the long run: 100,000 together.
constexpr unsigned kRunsForCoverage = 20'000;
constexpr unsigned kRunsForDefect = 10'000;
constexpr Duration kShortRun = milliseconds(400);  // Of one shard.

bool IsLongRun() {
  const char* full = std::getenv("VOICEBRIDGE_FULL");
  return full != nullptr && std::string_view(full) == "1";
}

// Shards, so that they run side by side.
class InterviewShard : public testing::TestWithParam<unsigned> {};

TEST_P(InterviewShard, KeepsTheInvariantsUnderAnyInterleaving) {
  WorldCoverage coverage;
  const TimePoint until = std::chrono::steady_clock::now() + kShortRun;
  unsigned runs = 0;
  for (; runs < kRunsOfShard; ++runs) {
    if (!IsLongRun() && std::chrono::steady_clock::now() > until) {
      break;
    }
    const unsigned seed = 1 + GetParam() + kShards * runs;
    InterviewWorld world(seed, coverage);
    const std::string problem = world.Run();
    ASSERT_EQ(problem, "") << "seed " << seed;
  }
  std::cout << "sequences: " << runs << "\n";
}

INSTANTIATE_TEST_SUITE_P(Random, InterviewShard, testing::Range(0U, kShards));

TEST(InterviewWorldCoverage, MeetsEveryKindOfEventInEveryPhaseWhereItCanCome) {
  WorldCoverage coverage;
  unsigned seed = 1;
  for (; seed <= kRunsForCoverage; ++seed) {
    InterviewWorld world(seed, coverage);
    const std::string problem = world.Run();
    ASSERT_EQ(problem, "") << "seed " << seed;
    if (seed % 100 == 0 && coverage.IsComplete()) {
      break;
    }
  }
  std::cout << coverage.Table() << "sequences: " << seed << "\n";
  EXPECT_EQ(coverage.Problems(), "");
}

TEST(InterviewWorldCoverage, FindsWhatIsMissingAndWhatCannotBe) {
  WorldCoverage coverage;
  const std::string missing = "client audio never came while listening\n";
  EXPECT_NE(coverage.Problems().find(missing), std::string::npos);
  const ConversationEvent audio = ClientAudioReceived{"aa", 0};
  coverage.Note(WorldPhase::kListening, {audio, std::nullopt});
  EXPECT_EQ(coverage.Problems().find(missing), std::string::npos);
  const ConversationEvent tool = ToolFinished{"c", "o"};
  coverage.Note(WorldPhase::kConnecting, {tool, std::nullopt});
  EXPECT_NE(coverage.Problems().find("tool finished came while connecting, though no tool"),
            std::string::npos);
}

class InterviewDefect : public testing::TestWithParam<DefectSpec> {};

TEST_P(InterviewDefect, IsFound) {
  WorldCoverage coverage;
  std::set<std::string> others;
  for (unsigned seed = 1; seed <= kRunsForDefect; ++seed) {
    InterviewWorld world(seed, coverage, GetParam().defect);
    const std::string problem = world.Run();
    if (problem.starts_with("[" + std::string(GetParam().invariant) + "]")) {
      std::cout << "seed " << seed << ": " << problem << "\n";
      return;
    }
    others.insert(problem);
  }
  ADD_FAILURE() << "not found in " << kRunsForDefect << " seeds; found: " << *others.rbegin();
}

INSTANTIATE_TEST_SUITE_P(Planted, InterviewDefect, testing::ValuesIn(kDefects),
                         [](const auto& spec) { return std::string(spec.param.name); });

}  // namespace
}  // namespace voicebridge::worker

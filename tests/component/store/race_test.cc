// The contract of the store: of several that want the same at the same time, one gets it.
#include <atomic>
#include <barrier>
#include <thread>

#include "tests/component/store/store_fixture.h"

namespace voicebridge::test {
namespace {

using worker::AssessmentRecord;
using worker::AssessmentState;
using worker::SessionOwner;
using worker::Store;

constexpr int kRounds = 200;

std::string SessionOfRound(int round) { return "sess_" + std::to_string(round); }

class RaceContract : public StoreContract {
 protected:
  using Attempt = std::function<bool(Store& store, int racer, int round)>;

  // Two racers with a connection each try `attempt` at the same moment, round after round; how
  // many rounds had exactly one winner.
  int RoundsWithOneWinner(const Attempt& attempt) {
    std::vector<std::atomic<int>> winners(kRounds);
    std::barrier start(2);
    const auto race = [&](int racer) {
      const std::unique_ptr<Store> own = NewStore();
      for (int round = 0; round < kRounds; ++round) {
        start.arrive_and_wait();
        winners[static_cast<std::size_t>(round)] += attempt(*own, racer, round) ? 1 : 0;
      }
    };
    {
      const std::jthread one(race, 0);
      const std::jthread other(race, 1);
    }
    return static_cast<int>(std::count(winners.begin(), winners.end(), 1));
  }
};

TEST_P(RaceContract, OneWorkerGetsAnEpoch) {
  const int decided = RoundsWithOneWinner([](Store& own, int racer, int round) {
    const SessionOwner contender{SessionOfRound(round / 4), static_cast<std::uint64_t>(round + 1),
                                 "worker_" + std::to_string(racer)};
    return Retried([&] { return own.AcquireSession(contender, "interview"); }).ok();
  });
  EXPECT_EQ(decided, kRounds);
}

TEST_P(RaceContract, OneStartOfAToolCallIsNew) {
  ASSERT_THAT(store->AcquireSession(owner, "interview"), IsOk());
  const int decided = RoundsWithOneWinner([this](Store& own, int, int round) {
    const worker::ToolCallStart call{"call_" + std::to_string(round), "tool", "{}"};
    const auto started = Retried([&] { return own.StartToolCall(owner, call); });
    return started.ok() && started->is_new;
  });
  EXPECT_EQ(decided, kRounds);
}

TEST_P(RaceContract, OneWorkerTakesAnAssessmentUp) {
  for (int round = 0; round < kRounds; ++round) {
    Create({SessionOfRound(round), 1, "worker_a"});
  }
  const int decided = RoundsWithOneWinner([](Store& own, int racer, int round) {
    const auto claimed = Retried([&] {
      return own.ClaimAssessments("worker_" + std::to_string(racer), hours(1), 1,
                                  "assess_" + SessionOfRound(round));
    });
    return claimed.ok() && claimed->size() == 1;
  });
  EXPECT_EQ(decided, kRounds);
}

TEST_P(RaceContract, TwoThatTakeWhatTheyFindTakeDifferentOnes) {
  for (int round = 0; round < kRounds; ++round) {
    Create({SessionOfRound(round), 1, "worker_a"});
  }
  std::atomic<std::size_t> taken = 0;
  RoundsWithOneWinner([&](Store& own, int, int) {
    const auto claimed = Retried([&] { return own.ClaimAssessments("worker", hours(1), 1, ""); });
    taken += claimed.ok() ? claimed->size() : 0;
    return false;
  });
  EXPECT_EQ(taken, static_cast<std::size_t>(kRounds));
  EXPECT_EQ(Rows("SELECT id FROM assessments WHERE claim = 1").size(),
            static_cast<std::size_t>(kRounds));
}

TEST_P(RaceContract, SixAssessmentsThatFinishInTheSameSecondAreSixRecords) {
  constexpr int kSix = 6;
  for (int i = 0; i < kSix; ++i) {
    CreateRunning({SessionOfRound(i), 1, "worker_a"});
  }
  std::barrier start(kSix);
  {
    std::vector<std::jthread> finishers;
    for (int i = 0; i < kSix; ++i) {
      finishers.emplace_back([this, &start, i] {
        const std::unique_ptr<Store> own = NewStore();
        const std::string report = R"({"session":)" + std::to_string(i) + "}";
        start.arrive_and_wait();
        EXPECT_THAT(Retried([&] {
                      return own->CompleteAssessment("assess_" + SessionOfRound(i), 1, report);
                    }),
                    IsOk());
      });
    }
  }
  for (int i = 0; i < kSix; ++i) {
    const auto stored = store->GetAssessment(SessionOfRound(i));
    ASSERT_THAT(stored, IsOk());
    EXPECT_EQ(stored->state, AssessmentState::kCompleted);
    EXPECT_EQ(stored->report_json, R"({"session":)" + std::to_string(i) + "}");
  }
}

TEST_P(RaceContract, NoWriteOfTheLoserFollowsATakeover) {
  const std::string profile = "interview";
  const int decided = RoundsWithOneWinner([&](Store& own, int racer, int round) {
    const SessionOwner first{SessionOfRound(round), 1, "worker_a"};
    const SessionOwner second{SessionOfRound(round), 2, "worker_b"};
    if (racer == 0) {
      return Retried([&] { return own.AcquireSession(second, profile); }).ok();
    }
    Retried([&] { return own.AcquireSession(first, profile); }).IgnoreError();
    Retried([&] { return own.WriteItems(first, {{"item", "", "{}", "", 0}}, {}); }).IgnoreError();
    return false;
  });
  EXPECT_EQ(decided, kRounds);
  EXPECT_EQ(Rows("SELECT id FROM sessions WHERE epoch = 2 AND worker_id = 'worker_b'").size(),
            static_cast<std::size_t>(kRounds));
}

TEST_P(RaceContract, DeletionBesideWritersEndsWithoutADeadlock) {
  for (int round = 0; round < kRounds; ++round) {
    CreateRunning({SessionOfRound(round), 1, "worker_a"});
  }
  RoundsWithOneWinner([](Store& own, int racer, int round) {
    const absl::Status status =
        racer == 0 ? Retried([&] { return own.DeleteSession(SessionOfRound(round)); })
                   : Retried([&] {
                       return own.CompleteAssessment("assess_" + SessionOfRound(round), 1, "{}");
                     });
    EXPECT_TRUE(status.ok() || absl::IsNotFound(status)) << status;
    return false;
  });
  EXPECT_EQ(Rows("SELECT id FROM sessions").size(), 0U);
  EXPECT_EQ(Rows("SELECT id FROM assessments").size(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Store, RaceContract,
                         ::testing::Values(Backend{"Sqlite", NewSqliteFile},
                                           Backend{"Postgres", NewPostgresSchema}),
                         BackendName);

}  // namespace
}  // namespace voicebridge::test

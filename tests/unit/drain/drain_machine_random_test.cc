// Random drains: whatever comes in whatever order, a drain ends in time, and its counts add up.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "tests/unit/drain/drain_script.h"

namespace voicebridge {
namespace {

// One process around the machine: it does what it is told, late, out of order, or not at all.
class RandomDrain {
 public:
  explicit RandomDrain(std::uint64_t seed) : random_(seed) {}

  void Run() {
    for (int i = Below(4); i > 0; --i) {
      sessions_.insert("s" + std::to_string(i));
    }
    Ask(RandomCommand());
    const TimePoint began = script_.now();
    while (!concluded_ && !HasFailed()) {
      Step();
      ASSERT_LE(script_.now(), began + hours(2)) << "it does not end";
    }
    if (!HasFailed() && concluded_) {
      CheckSummary();
    }
  }

 private:
  static bool HasFailed() { return testing::Test::HasFailure(); }
  int Below(int bound) { return static_cast<int>(random_() % static_cast<unsigned>(bound)); }
  bool OneIn(int n) { return Below(n) == 0; }

  DrainCommand RandomCommand() {
    constexpr DrainMode kModes[] = {v1::DrainRequest::HANDOVER, v1::DrainRequest::FINISH,
                                    v1::DrainRequest::CLOSE};
    DrainCommand command = Command(kModes[Below(3)], milliseconds(500 + Below(8000)));
    command.exit = OneIn(2);
    command.fleet = command.mode != v1::DrainRequest::HANDOVER &&
                    command.budget >= DrainPlan::kFleetTotalMin && OneIn(3);
    command.signal = command.exit && OneIn(3) ? 15 : 0;
    return command;
  }

  void Ask(const DrainCommand& command) {
    const auto end_before = machine_.plan() ? std::optional(machine_.plan()->end()) : std::nullopt;
    const bool draining_before = machine_.draining() && machine_.phase() != DrainPhase::kDrained;
    Feed(DrainRequested{command});
    if (draining_before && machine_.plan()) {
      EXPECT_LE(machine_.plan()->end(), *end_before) << "a second call may only shorten";
    }
  }

  template <class Event>
  void Feed(Event event) {
    script_.Feed(std::move(event));
    TakeEffects();
  }

  void TakeEffects() {
    for (const DrainEffect& effect : std::exchange(script_.effects, {})) {
      EXPECT_FALSE(concluded_ && !std::holds_alternative<AnswerUndrain>(effect))
          << "nothing follows the conclusion";
      if (const auto* conclude = std::get_if<Conclude>(&effect)) {
        EXPECT_EQ(conclude->exit, machine_.exits());
        EXPECT_LE(script_.now(), machine_.plan()->flush().when()) << "it exceeds its plan";
        concluded_ = true;
      } else if (std::holds_alternative<AdmitAgain>(effect)) {
        EXPECT_TRUE(closed_.empty()) << "a drain that closed sessions was undone";
        undone_ = concluded_ = true;
      } else if (std::holds_alternative<EndSessions>(effect)) {
        told_to_end_ = true;
      } else if (const auto* order = std::get_if<DrainWorkers>(&effect)) {
        EXPECT_EQ(order->round, round_ + 1);
        round_ = order->round;
        workers_ = {"w1", "w2"};
        called_ = false;
      }
    }
  }

  // One thing happens, or time passes to the next deadline or a little.
  void Step() {
    switch (Below(9)) {
      case 0:
        return AreListed();
      case 1:
      case 2:
        return OneLeaves();
      case 3:
        return OneIn(2) ? Feed(BackgroundStopped{}) : Feed(BackgroundStopped{{"asmt"}});
      case 4:
        return OneIn(3) ? Feed(RecordsSaved{{"s1"}}) : Feed(RecordsSaved{});
      case 5:
        return OneWorkerAnswers();
      case 6:
        return OneIn(4) ? Ask(RandomCommand()) : Pass(milliseconds(Below(300)));
      case 7:
        return OneIn(6) ? Feed(UndrainRequested{}) : Pass(milliseconds(Below(300)));
      default:
        return Pass(milliseconds(Below(2000)));
    }
  }

  void AreListed() {
    if (!std::exchange(listed_, true)) {
      existed_ = sessions_;
    }
    Feed(SessionsListed{{existed_.begin(), existed_.end()}});
  }

  void OneLeaves() {
    if (sessions_.empty()) {
      return;
    }
    const std::string id = *sessions_.begin();
    sessions_.erase(sessions_.begin());
    const bool closed = told_to_end_ && !OneIn(4);
    if (closed) {
      closed_.insert(id);
    }
    Feed(SessionLeft{id, closed ? v1::END_REASON_DRAINING : v1::END_REASON_CLIENT_CLOSED,
                     OneIn(8) ? std::vector<std::string>{"stuck"} : std::vector<std::string>{}});
  }

  void OneWorkerAnswers() {
    if (workers_.empty()) {
      return;
    }
    if (!std::exchange(called_, true)) {
      Feed(WorkersCalled{{"w1", "w2"}, round_});
    }
    if (round_ > 0 && OneIn(3)) {
      return Feed(WorkerUnreachable{*workers_.begin(), round_ - 1});  // Late: it was asked again.
    }
    const std::string address = *workers_.begin();
    workers_.erase(workers_.begin());
    if (OneIn(3)) {
      return Feed(WorkerUnreachable{address, round_});
    }
    v1::DrainSummary summary;
    if (!existed_.empty()) {
      OneIn(2) ? summary.add_stored(*existed_.begin()) : summary.add_forced(*existed_.begin());
    }
    Feed(WorkerDrained{address, summary, round_});
  }

  // A driver does not sleep past a deadline.
  void Pass(Duration duration) {
    if (const auto due = machine_.NextDeadline()) {
      duration = std::min(duration, *due - script_.now());
    }
    script_.Advance(std::max(duration, Duration::zero()));
    TakeEffects();
  }

  void CheckSummary() {
    if (undone_) {
      EXPECT_EQ(machine_.phase(), DrainPhase::kServing);
      return;
    }
    const v1::DrainSummary summary = machine_.Summary();
    std::map<std::string, int> named;
    for (const auto* list :
         {&summary.handed_over(), &summary.finished(), &summary.stored(), &summary.forced()}) {
      for (const std::string& id : *list) {
        ++named[id];
      }
    }
    EXPECT_EQ(named.size(), machine_.sessions_total());
    for (const auto& [id, times] : named) {
      EXPECT_EQ(times, 1) << id;
      EXPECT_TRUE(existed_.contains(id)) << id;
    }
    const bool left = !summary.forced().empty() || !summary.unreachable().empty() ||
                      !summary.not_stored().empty() || !summary.tasks_left().empty();
    EXPECT_EQ(machine_.WasForced(), left);
  }

  std::mt19937_64 random_;
  DrainMachine machine_;
  DrainScript script_{machine_};
  std::set<std::string> sessions_;
  std::set<std::string> existed_;
  std::set<std::string> closed_;
  std::set<std::string> workers_;
  bool listed_ = false;
  bool told_to_end_ = false;
  int round_ = -1;
  bool called_ = false;  // The workers, in this round.
  bool concluded_ = false;
  bool undone_ = false;
};

TEST(DrainMachineRandom, AlwaysEndsInTimeAndItsCountsAddUp) {
  for (std::uint64_t seed = 1; seed <= 20'000; ++seed) {
    SCOPED_TRACE(seed);
    RandomDrain(seed).Run();
    if (testing::Test::HasFailure()) {
      return;
    }
  }
}

}  // namespace
}  // namespace voicebridge

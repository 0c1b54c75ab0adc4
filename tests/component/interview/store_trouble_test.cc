// Assessments when several processes want them, when the store is away, and when a process stops.
#include <gmock/gmock.h>

#include "tests/component/interview/desk_fixture.h"

namespace voicebridge::worker::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Outcome = ResponsesAnswer::Outcome;

class Ownership : public DeskTest {
 protected:
  void StorePending(const std::string& name) {
    table.rows["session_" + name] = {Record(name), TimePoint()};
  }

  // Ends within the budget; how many were left.
  std::size_t Stop(Process& process, Duration budget) {
    std::size_t left = 999;
    Start("stop", StopDesk(process.desk, In(budget), left));
    clock.Advance(budget);
    return left;
  }
};

TEST_F(Ownership, TwoProcessesRaceAndEachAssessmentHasOneResult) {
  Process& first = Started();
  Process& second = Started();
  for (int i = 100; i < 150; ++i) {
    const std::string name = std::to_string(i);
    // Both know of it, as after a session has moved.
    first.desk.Assess({"session_" + name, 1, "worker"}, Record(name), Duration::zero());
    second.desk.Assess({"session_" + name, 2, "worker"}, Record(name), Duration::zero());
  }
  clock.Advance(seconds(30));
  EXPECT_EQ(model.calls, 50);
  EXPECT_EQ(table.Count("complete"), 50);
  for (int i = 100; i < 150; ++i) {
    const std::string name = std::to_string(i);
    EXPECT_EQ(table.Count("complete " + name), 1);
    EXPECT_EQ(ToldOf(first, name).back(), "completed");
    EXPECT_EQ(ToldOf(second, name).back(), "completed");
  }
}

TEST_F(Ownership, TheLeaseIsRenewedAtAThirdOfIt) {
  model.takes = seconds(40);
  Process& process = Started();
  Assess(process, "a");
  clock.Advance(seconds(5) - milliseconds(1));
  EXPECT_EQ(table.Count("renew a 1"), 0);
  clock.Advance(milliseconds(1));
  EXPECT_EQ(table.Count("renew a 1"), 1);
  clock.Advance(seconds(35));
  EXPECT_EQ(table.Count("renew a 1"), 7);
  EXPECT_EQ(table.Count("complete a 1"), 1);
}

TEST_F(Ownership, APartitionedWorkerDoesNotOverwriteTheOneThatTookOver) {
  model.takes = seconds(40);
  Process& cut_off = Started();
  Assess(cut_off, "a");
  cut_off.records.away = true;
  Started();                   // Another worker.
  clock.Advance(seconds(41));  // It has its answer now, and cannot store it.
  EXPECT_EQ(table.Count("claim a 2"), 1);
  EXPECT_EQ(table.Count("complete"), 0);
  cut_off.records.away = false;
  clock.Advance(seconds(30));
  EXPECT_EQ(table.Count("complete a 2"), 1);
  EXPECT_EQ(table.Count("complete"), 1);
  EXPECT_EQ(ToldOf(cut_off, "a").back(), "completed");
}

TEST_F(Ownership, ARunThatLostItsClaimStopsAskingTheModel) {
  model.takes = seconds(100);
  Process& process = Started();
  Assess(process, "a");
  Stored("a").claim = 2;  // Somebody else.
  table.rows["session_a"].lease_end = clock.Now() + hours(1);
  clock.Advance(seconds(5));
  EXPECT_EQ(model.cancelled, 1);
  Stored("a").state = AssessmentState::kFailed;
  Stored("a").failure_reason = "model_refused";
  clock.Advance(seconds(5));
  EXPECT_EQ(ToldOf(process, "a").back(), "failed model_refused");
}

TEST_F(Ownership, AnOwnAssessmentWhoseLeaseRanOutIsNotRunTwice) {
  model.takes = seconds(40);
  Process& process = Started();
  Assess(process, "a");
  process.records.fault = [](std::string_view method) {
    return method == "renew" ? absl::UnavailableError("busy") : absl::OkStatus();
  };
  clock.Advance(seconds(41));
  EXPECT_GE(table.Count("claim a"), 2);
  EXPECT_EQ(model.calls, 1);
  EXPECT_EQ(table.Count("complete"), 1);
  EXPECT_EQ(ToldOf(process, "a").back(), "completed");
}

// --- A claim that is renewed by this process while a call is under way ---

class Adoption : public Ownership {
 protected:
  // Claims it anew in the middle of the first call of the method.
  AssessmentRun::End RunThrough(std::string_view adopted_during) {
    StorePending("a");
    Stored("a").state = AssessmentState::kRunning;
    Stored("a").claim = 1;
    Process& process = Add();
    AssessmentRun run(process.tools, Stored("a"), io.get_executor(), [](unsigned) {});
    process.records.fault = [&](std::string_view method) {
      if (method == adopted_during && Stored("a").claim == 1) {
        Stored("a").claim = 2;
        run.Adopt(2);
      }
      return absl::OkStatus();
    };
    std::optional<AssessmentRun::End> end;
    Start("run", Keep(run, end));
    clock.Advance(seconds(30));
    return end.value();
  }

  static Awaitable<void> Keep(AssessmentRun& run, std::optional<AssessmentRun::End>& end) {
    end = co_await run.Run();
  }
};

TEST_F(Adoption, DuringARenewalDoesNotEndTheRun) {
  model.takes = seconds(10);
  EXPECT_EQ(RunThrough("renew"), AssessmentRun::End::kCompleted);
  EXPECT_EQ(model.calls, 1);
}

TEST_F(Adoption, DuringTheWritingOfTheResultWritesItAgain) {
  EXPECT_EQ(RunThrough("complete"), AssessmentRun::End::kCompleted);
  EXPECT_EQ(table.Count("complete a 2"), 1);
}

// --- What others left ---

TEST_F(Ownership, TakesUpWhatIsPendingAtTheStartAndAtEachInterval) {
  StorePending("a");
  Process& process = Started();
  clock.Advance(seconds(2));
  EXPECT_EQ(Stored("a").state, AssessmentState::kCompleted);
  StorePending("b");
  clock.Advance(seconds(3) - milliseconds(1));
  EXPECT_EQ(Stored("b").state, AssessmentState::kPending);
  clock.Advance(seconds(2));
  EXPECT_EQ(Stored("b").state, AssessmentState::kCompleted);
  EXPECT_THAT(ToldOf(process, "b"), ElementsAre("running 1", "completed"));
}

TEST_F(Ownership, TakesUpNoMoreThanItHasRoomFor) {
  for (const char* const name : {"a", "b", "c", "d", "e"}) {
    StorePending(name);
  }
  limits.parallel = 2;
  model.takes = seconds(60);
  Started();
  EXPECT_EQ(table.Count("claim"), 2);
  clock.Advance(seconds(20));
  EXPECT_EQ(table.Count("claim"), 2);
  EXPECT_EQ(model.in_flight_max, 2);
}

TEST_F(Ownership, TakesUpWhatADeadWorkerWasRunning) {
  StorePending("a");
  Stored("a").state = AssessmentState::kRunning;
  Stored("a").claim = 7;
  table.rows["session_a"].lease_end = clock.Now() + seconds(12);
  Started();
  clock.Advance(seconds(12));
  EXPECT_EQ(table.Count("claim"), 0);
  clock.Advance(seconds(5));
  EXPECT_EQ(table.Count("complete a 8"), 1);
}

// --- A store that is away ---

TEST_F(Ownership, ATriggerWaitsForTheStore) {
  Process& process = Started();
  process.records.away = true;
  AssessAndWait(process, "a", seconds(29));
  EXPECT_THAT(ToldOf(process, "a"), IsEmpty());
  process.records.away = false;
  clock.Advance(seconds(2));
  EXPECT_EQ(ToldOf(process, "a").back(), "completed");
}

TEST_F(Ownership, ATriggerThatCannotBeStoredFailsAndMayBeAskedForAgain) {
  Process& process = Started();
  process.records.away = true;
  AssessAndWait(process, "a", seconds(30));
  EXPECT_THAT(ToldOf(process, "a"), ElementsAre("failed store_unavailable"));
  EXPECT_EQ(process.lost.CountOf(RecordKind::kAssessment), 1);
  process.records.away = false;
  AssessAndWait(process, "a", seconds(10));
  EXPECT_EQ(ToldOf(process, "a").back(), "completed");
}

TEST_F(Ownership, ATriggerOfAnOlderEpochIsSuperseded) {
  Process& process = Started();
  process.records.fault = [](std::string_view method) {
    return method == "create" ? absl::AbortedError("epoch") : absl::OkStatus();
  };
  Assess(process, "a");
  EXPECT_THAT(ToldOf(process, "a"), ElementsAre("failed superseded"));
  EXPECT_EQ(process.lost.CountOf(RecordKind::kAssessment), 0) << "it is the new owner's business";
}

TEST_F(Ownership, AReportThatTheStoreRefusesFailsInTheStoreToo) {
  Process& process = Started();
  process.records.fault = [](std::string_view method) {
    return method == "complete" ? absl::InternalError("no") : absl::OkStatus();
  };
  AssessAndWait(process, "a", seconds(30));
  EXPECT_EQ(model.calls, 1);
  EXPECT_EQ(ToldOf(process, "a").back(), "failed store_unavailable");
  EXPECT_EQ(Stored("a").failure_reason, "store_unavailable");
  EXPECT_EQ(process.lost.CountOf(RecordKind::kReport), 1);
}

TEST_F(Ownership, AnAssessmentThatCouldNotBeClaimedIsClaimedLater) {
  Process& process = Started();
  bool broken = true;
  process.records.fault = [&broken](std::string_view method) {
    return broken && method == "claim" ? absl::UnavailableError("busy") : absl::OkStatus();
  };
  AssessAndWait(process, "a");
  EXPECT_THAT(ToldOf(process, "a"), ElementsAre("stored", "queued 1"));
  broken = false;
  clock.Advance(seconds(10));
  EXPECT_EQ(ToldOf(process, "a").back(), "completed");
}

// --- Stop ---

TEST_F(Ownership, StopEndsTheModelCallsAndReleasesAtOnce) {
  limits.parallel = 2;
  model.takes = seconds(60);
  Process& process = Started();
  for (const char* const name : {"a", "b", "c"}) {
    Assess(process, name);
  }
  EXPECT_EQ(Stop(process, milliseconds(1)), 0U);
  EXPECT_EQ(model.cancelled, 2);
  EXPECT_EQ(model.in_flight, 0);
  for (const char* const name : {"a", "b", "c"}) {
    EXPECT_EQ(Stored(name).state, AssessmentState::kPending) << name;
  }
  clock.Advance(seconds(20));
  EXPECT_EQ(table.Count("claim"), 2) << "a process that stops takes up nothing";
  limits.parallel = 8;
  model.takes = seconds(1);
  Started();
  clock.Advance(seconds(2));
  EXPECT_EQ(table.Count("complete"), 3);
}

TEST_F(Ownership, ATriggerDuringAStopIsStoredAndLeftToOthers) {
  Process& process = Started();
  EXPECT_EQ(Stop(process, seconds(1)), 0U);
  AssessAndWait(process, "a", seconds(20));
  EXPECT_EQ(Stored("a").state, AssessmentState::kPending);
  EXPECT_EQ(model.calls, 0);
}

TEST_F(Ownership, StopIsBoundedWhenTheStoreIsAway) {
  model.takes = seconds(60);
  Process& process = Started();
  Assess(process, "a");
  Assess(process, "b");
  process.records.away = true;
  EXPECT_EQ(Stop(process, seconds(2)), 2U);
  EXPECT_EQ(model.in_flight, 0);
}

TEST_F(Ownership, StopReleasesWhatWasJustBeingClaimed) {
  Process& process = Started();
  process.desk.Assess({"session_a", 1, "worker"}, Record("a"), Duration::zero());
  bool stopped = false;
  std::size_t left = 999;
  process.records.fault = [&](std::string_view method) {
    if (method == "claim" && !stopped) {
      stopped = true;
      EXPECT_TRUE(tasks.TrySpawn("stop", StopDesk(process.desk, In(seconds(1)), left)));
    }
    return absl::OkStatus();
  };
  clock.Advance(seconds(1));
  EXPECT_TRUE(stopped);
  EXPECT_EQ(left, 0U);
  EXPECT_EQ(Stored("a").state, AssessmentState::kPending);
}

TEST_F(Ownership, AForcedStopLeavesNoTask) {
  model.takes = seconds(60);
  Process& process = Started();
  Assess(process, "a");
  tasks.Close();
  tasks.CancelAll();
  clock.RunReady();
  EXPECT_TRUE(tasks.empty());
  EXPECT_EQ(model.cancelled, 1);
}

}  // namespace
}  // namespace voicebridge::worker::test

// What a drain does when, and what it says of each session.
#include "common/drain/drain_machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "tests/unit/drain/drain_script.h"

namespace voicebridge {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr auto kHandover = v1::DrainRequest::HANDOVER;
constexpr auto kFinish = v1::DrainRequest::FINISH;
constexpr auto kClose = v1::DrainRequest::CLOSE;

class DrainMachineTest : public testing::Test {
 protected:
  void Leaves(const std::string& id, EndReason reason = v1::END_REASON_DRAINING,
              std::vector<std::string> tasks_left = {}) {
    script_.Feed(SessionLeft{id, reason, std::move(tasks_left)});
  }

  // Both answers of a process with nothing to save.
  void SettlesBackground() { script_.Feed(BackgroundStopped{}).Feed(RecordsSaved{}); }

  absl::Status Undrain() {
    script_.Feed(UndrainRequested{});
    return script_.Last<AnswerUndrain>()->status;
  }

  DrainMachine machine_;
  DrainScript script_{machine_};
};

TEST_F(DrainMachineTest, RefusesFirstThenClosesWithoutWaiting) {
  script_.Feed(DrainRequested{Command(kClose)});
  ASSERT_EQ(script_.effects.size(), 3U);
  EXPECT_TRUE(std::holds_alternative<RefuseAdmission>(script_.effects[0]));
  EXPECT_TRUE(std::holds_alternative<StopBackground>(script_.effects[1]));
  EXPECT_TRUE(std::holds_alternative<EndSessions>(script_.effects[2]));
  EXPECT_EQ(script_.DeadlineOf<StopBackground>(), 2000);
  EXPECT_EQ(script_.DeadlineOf<EndSessions>(), 2600);
}

TEST_F(DrainMachineTest, EndsAsSoonAsAllHasAnswered) {
  script_.Feed(DrainRequested{Command(kClose)}).Feed(SessionsListed{{"a", "b"}});
  Leaves("a");
  EXPECT_EQ(machine_.sessions_left(), 1U);
  Leaves("b");
  EXPECT_FALSE(script_.Has<SaveRecords>()) << "background work is still being stopped";
  script_.Feed(BackgroundStopped{});
  ASSERT_TRUE(script_.Has<SaveRecords>());
  EXPECT_EQ(script_.DeadlineOf<SaveRecords>(), 2800);
  EXPECT_FALSE(script_.Has<Conclude>());
  script_.Feed(RecordsSaved{});
  ASSERT_TRUE(script_.Has<Conclude>());
  EXPECT_EQ(machine_.phase(), DrainPhase::kDrained);
  EXPECT_THAT(machine_.Summary().stored(), ElementsAre("a", "b"));
  EXPECT_FALSE(machine_.WasForced());
}

TEST_F(DrainMachineTest, DrainsAProcessWithoutSessionsByTheSameSteps) {
  script_.Feed(DrainRequested{Exiting(Command(kClose))}).Feed(SessionsListed{});
  SettlesBackground();
  EXPECT_TRUE(script_.Last<Conclude>()->exit);
  EXPECT_EQ(machine_.phase(), DrainPhase::kLeaving);
}

TEST_F(DrainMachineTest, ArmsTheWatchdogOnlyWhereTheProcessLeaves) {
  script_.Feed(DrainRequested{Command(kClose)});
  EXPECT_FALSE(script_.Has<ArmWatchdog>());
  script_.Feed(DrainRequested{Exiting(Command(kClose))});
  ASSERT_TRUE(script_.Has<ArmWatchdog>());
  EXPECT_EQ(script_.DeadlineOf<ArmWatchdog>(), 2900);
}

TEST_F(DrainMachineTest, CutsOffWhatIsLeftAndNamesIt) {
  script_.Feed(DrainRequested{Command(kClose)}).Feed(SessionsListed{{"a", "b"}});
  script_.Feed(BackgroundStopped{});
  Leaves("a");
  script_.Advance(milliseconds(2599));
  EXPECT_FALSE(script_.Has<ForceSessions>());
  script_.Advance(milliseconds(1));
  ASSERT_TRUE(script_.Has<ForceSessions>());
  ASSERT_TRUE(script_.Has<SaveRecords>()) << "the records of the others are not held up";
  Leaves("b");
  script_.Feed(RecordsSaved{});
  EXPECT_EQ(machine_.phase(), DrainPhase::kDrained);
  EXPECT_THAT(machine_.Summary().stored(), ElementsAre("a"));
  EXPECT_THAT(machine_.Summary().forced(), ElementsAre("b")) << "though it left after all";
  EXPECT_TRUE(machine_.WasForced());
}

TEST_F(DrainMachineTest, ConcludesBeforeItsEndThoughNothingAnswers) {
  script_.Feed(DrainRequested{Exiting(Command(kClose))}).Feed(SessionsListed{{"a"}});
  script_.Advance(milliseconds(2799));
  EXPECT_FALSE(script_.Has<Conclude>());
  script_.Advance(milliseconds(1));
  EXPECT_TRUE(script_.Has<Conclude>());
  EXPECT_THAT(machine_.Summary().forced(), ElementsAre("a"));
}

TEST_F(DrainMachineTest, WhereNotEvenTheSessionsAreToldOfSomethingWasLeft) {
  script_.Feed(DrainRequested{Command(kClose)});
  script_.Advance(milliseconds(2800));
  ASSERT_TRUE(script_.Has<Conclude>());
  EXPECT_THAT(machine_.Summary().tasks_left(), ElementsAre("list of sessions"));
  EXPECT_TRUE(machine_.WasForced());
}

TEST_F(DrainMachineTest, ALongBudgetIsNotSpentOnSessionsThatHang) {
  script_.Feed(DrainRequested{Command(kClose, seconds(60))}).Feed(SessionsListed{{"a"}});
  script_.Advance(milliseconds(3000));
  EXPECT_TRUE(script_.Has<ForceSessions>());
}

TEST_F(DrainMachineTest, FinishLetsSessionsEndByThemselvesUntilItSettles) {
  script_.Feed(DrainRequested{Command(kFinish)}).Feed(SessionsListed{{"a", "b"}});
  EXPECT_EQ(script_.DeadlineOf<AnnounceDrain>(), 1500);
  EXPECT_FALSE(script_.Has<EndSessions>());
  Leaves("a", v1::END_REASON_CLIENT_CLOSED);
  script_.Advance(milliseconds(1499));
  EXPECT_FALSE(script_.Has<EndSessions>());
  script_.Advance(milliseconds(1));
  EXPECT_TRUE(script_.Has<EndSessions>());
  Leaves("b");
  SettlesBackground();
  EXPECT_THAT(machine_.Summary().finished(), ElementsAre("a"));
  EXPECT_THAT(machine_.Summary().stored(), ElementsAre("b"));
  EXPECT_EQ(machine_.Summary().mode(), kFinish);
}

TEST_F(DrainMachineTest, FinishGoesOnWhenTheLastSessionHasEnded) {
  script_.Feed(DrainRequested{Command(kFinish, seconds(60))}).Feed(SessionsListed{{"a"}});
  Leaves("a", v1::END_REASON_CLIENT_CLOSED);
  EXPECT_TRUE(script_.Has<StopBackground>());
}

TEST_F(DrainMachineTest, HandoverFallsBackToCloseAndSaysSo) {
  script_.Feed(DrainRequested{Command(kHandover)}).Feed(SessionsListed{{"a"}});
  EXPECT_TRUE(script_.Has<EndSessions>());
  Leaves("a");
  SettlesBackground();
  EXPECT_EQ(machine_.Summary().mode(), kClose);
  EXPECT_TRUE(machine_.Summary().handover_fell_back());
}

TEST_F(DrainMachineTest, ASecondCallOnlyShortensTheBudget) {
  script_.Feed(DrainRequested{Command(kFinish, seconds(10))}).Feed(SessionsListed{{"a"}});
  script_.Advance(seconds(1));
  script_.Feed(DrainRequested{Command(kClose, seconds(60))});
  EXPECT_EQ(machine_.plan()->end().when(), script_.now() + seconds(9));
  EXPECT_EQ(machine_.mode(), kFinish);
  script_.Feed(DrainRequested{Command(kClose, seconds(3))});
  EXPECT_EQ(machine_.plan()->end().when(), script_.now() + seconds(3));
  EXPECT_EQ(script_.DeadlineOf<AnnounceDrain>(), 2500) << "1.5 s before the new end";
}

TEST_F(DrainMachineTest, AShorterBudgetForcesEarlierToo) {
  script_.Feed(DrainRequested{Command(kClose, seconds(3))}).Feed(SessionsListed{{"a"}});
  script_.Advance(seconds(1)).Feed(DrainRequested{Command(kClose, milliseconds(500))});
  script_.Advance(milliseconds(100));
  EXPECT_TRUE(script_.Has<ForceSessions>());
  script_.Advance(milliseconds(200));
  EXPECT_TRUE(script_.Has<Conclude>());
}

TEST_F(DrainMachineTest, ASignalJoinsADrainThatWouldStayAndMakesItExit) {
  script_.Feed(DrainRequested{Command(kFinish, seconds(60))}).Feed(SessionsListed{{"a"}});
  script_.Feed(DrainRequested{DrainBySignal(15, seconds(3))});
  EXPECT_TRUE(machine_.exits());
  EXPECT_EQ(script_.DeadlineOf<ArmWatchdog>(), 2900);
  script_.Advance(milliseconds(1500));
  EXPECT_TRUE(script_.Has<EndSessions>());
  Leaves("a");
  SettlesBackground();
  EXPECT_TRUE(script_.Last<Conclude>()->exit);
}

TEST_F(DrainMachineTest, AnExitNeverBecomesAStay) {
  script_.Feed(DrainRequested{Exiting(Command(kFinish))}).Feed(SessionsListed{{"a"}});
  script_.Feed(DrainRequested{Command(kFinish, seconds(1))});
  EXPECT_TRUE(machine_.exits());
}

TEST_F(DrainMachineTest, ADrainedProcessAnswersAgainWithTheSameSummary) {
  script_.Feed(DrainRequested{Command(kClose)}).Feed(SessionsListed{{"a"}});
  Leaves("a");
  SettlesBackground();
  script_.effects.clear();
  script_.Feed(DrainRequested{Command(kClose)});
  ASSERT_EQ(script_.effects.size(), 1U);
  EXPECT_FALSE(script_.Last<Conclude>()->exit);
  EXPECT_TRUE(script_.Last<Conclude>()->again);
  EXPECT_THAT(machine_.Summary().stored(), ElementsAre("a"));
}

TEST_F(DrainMachineTest, ADrainedProcessLeavesWhenToldTo) {
  script_.Feed(DrainRequested{Command(kClose)}).Feed(SessionsListed{{"a"}});
  Leaves("a");
  SettlesBackground();
  script_.Advance(hours(1)).Feed(DrainRequested{DrainBySignal(2, seconds(3))});
  EXPECT_EQ(script_.Last<ArmWatchdog>()->deadline.when(), script_.now() + milliseconds(2900));
  SettlesBackground();
  EXPECT_TRUE(script_.Last<Conclude>()->exit);
  EXPECT_THAT(machine_.Summary().stored(), ElementsAre("a"));
  EXPECT_FALSE(machine_.WasForced());
}

// --- undrain ------------------------------------------------------------------------------------

TEST_F(DrainMachineTest, UndrainWhileNoSessionWasClosed) {
  script_.Feed(DrainRequested{Exiting(Command(kFinish, seconds(60)))});
  script_.Feed(SessionsListed{{"a", "b"}});
  Leaves("a", v1::END_REASON_CLIENT_CLOSED);
  EXPECT_TRUE(Undrain().ok());
  EXPECT_TRUE(script_.Has<AdmitAgain>());
  EXPECT_EQ(machine_.phase(), DrainPhase::kServing);
  EXPECT_FALSE(machine_.NextDeadline());
  script_.Feed(DrainRequested{Command(kClose)});
  EXPECT_EQ(machine_.sessions_total(), 0U) << "a new drain counts anew";
}

TEST_F(DrainMachineTest, UndrainOfADrainedProcessThatHeldNoSession) {
  script_.Feed(DrainRequested{Command(kClose)}).Feed(SessionsListed{});
  SettlesBackground();
  EXPECT_TRUE(Undrain().ok());
}

TEST_F(DrainMachineTest, UndrainIsTooLateOnceASessionWasClosed) {
  script_.Feed(DrainRequested{Command(kClose)}).Feed(SessionsListed{{"a"}});
  EXPECT_TRUE(absl::IsFailedPrecondition(Undrain())) << "it has been told to close";
  Leaves("a");
  SettlesBackground();
  EXPECT_TRUE(absl::IsFailedPrecondition(Undrain()));
  EXPECT_FALSE(script_.Has<AdmitAgain>());
}

TEST_F(DrainMachineTest, UndrainDoesNotUndoASignal) {
  script_.Feed(DrainRequested{Command(kFinish, seconds(60))}).Feed(SessionsListed{{"a"}});
  script_.Feed(DrainRequested{DrainBySignal(15, seconds(3))});
  EXPECT_TRUE(absl::IsFailedPrecondition(Undrain()));
}

TEST_F(DrainMachineTest, UndrainOfAServingProcessChangesNothing) {
  EXPECT_TRUE(Undrain().ok());
  EXPECT_FALSE(script_.Has<AdmitAgain>());
}

// --- what is left -------------------------------------------------------------------------------

TEST_F(DrainMachineTest, ARecordThatWasNotSavedMakesItsSessionForced) {
  script_.Feed(DrainRequested{Command(kClose)}).Feed(SessionsListed{{"a", "b"}});
  Leaves("a");
  Leaves("b");
  script_.Feed(BackgroundStopped{{"asmt_1"}}).Feed(RecordsSaved{{"b"}});
  EXPECT_THAT(machine_.Summary().not_stored(), ElementsAre("asmt_1", "b"));
  EXPECT_THAT(machine_.Summary().stored(), ElementsAre("a"));
  EXPECT_THAT(machine_.Summary().forced(), ElementsAre("b"));
  EXPECT_TRUE(machine_.WasForced());
}

TEST_F(DrainMachineTest, ATaskThatIgnoresItsCancellationMakesItsSessionForced) {
  script_.Feed(DrainRequested{Command(kClose)}).Feed(SessionsListed{{"a"}});
  Leaves("a", v1::END_REASON_DRAINING, {"tool"});
  SettlesBackground();
  EXPECT_THAT(machine_.Summary().forced(), ElementsAre("a"));
  EXPECT_THAT(machine_.Summary().tasks_left(), ElementsAre("tool"));
}

TEST_F(DrainMachineTest, ASessionThatHadLeftBeforeTheListIsNotCounted) {
  script_.Feed(DrainRequested{Command(kClose)});
  Leaves("early");
  script_.Feed(SessionsListed{{"a"}});
  Leaves("a");
  Leaves("a");
  SettlesBackground();
  EXPECT_EQ(machine_.sessions_total(), 1U);
}

// --- a fleet ------------------------------------------------------------------------------------

TEST_F(DrainMachineTest, AFleetDrainGivesWorkersTheTimeLeftLessTheWay) {
  script_.Feed(DrainRequested{Exiting(OfFleet(Command(kClose)))});
  ASSERT_TRUE(script_.Has<DrainWorkers>());
  EXPECT_EQ(script_.Last<DrainWorkers>()->budget, milliseconds(2850));
  EXPECT_TRUE(script_.Last<DrainWorkers>()->exit);
}

TEST_F(DrainMachineTest, AFleetDrainEndsWhenAllWorkersHaveAnsweredAndTheWorstIsTold) {
  script_.Feed(DrainRequested{OfFleet(Command(kClose))}).Feed(SessionsListed{{"a", "b"}});
  script_.Feed(WorkersCalled{{"w1", "w2"}});
  Leaves("a");
  Leaves("b");
  SettlesBackground();
  EXPECT_FALSE(script_.Has<Conclude>());
  v1::DrainSummary of_worker;
  of_worker.add_stored("a");
  of_worker.add_forced("b");
  of_worker.add_finished("of_another_gateway");
  script_.Feed(WorkerDrained{"w1", of_worker});
  script_.Feed(WorkerUnreachable{"w2"});
  ASSERT_TRUE(script_.Has<Conclude>());
  const v1::DrainSummary summary = machine_.Summary();
  EXPECT_THAT(summary.stored(), ElementsAre("a"));
  EXPECT_THAT(summary.forced(), ElementsAre("b"));
  EXPECT_THAT(summary.finished(), ElementsAre("of_another_gateway"));
  EXPECT_THAT(summary.unreachable(), ElementsAre("w2"));
  EXPECT_TRUE(machine_.WasForced());
}

TEST_F(DrainMachineTest, WorkersThatDoNotAnswerAreUnreachableAtTheEnd) {
  script_.Feed(DrainRequested{OfFleet(Command(kClose))}).Feed(SessionsListed{});
  script_.Feed(WorkersCalled{{"w1"}});
  SettlesBackground();
  script_.Advance(milliseconds(2800));
  ASSERT_TRUE(script_.Has<Conclude>());
  EXPECT_THAT(machine_.Summary().unreachable(), ElementsAre("w1"));
}

TEST_F(DrainMachineTest, ALaterCallMayWidenADrainToTheFleet) {
  script_.Feed(DrainRequested{Command(kFinish)}).Feed(SessionsListed{{"a"}});
  script_.Advance(seconds(1)).Feed(DrainRequested{OfFleet(Command(kClose))});
  ASSERT_TRUE(script_.Has<DrainWorkers>());
  EXPECT_EQ(script_.Last<DrainWorkers>()->budget, milliseconds(1850));
  EXPECT_EQ(script_.Last<DrainWorkers>()->mode, kFinish);
}

TEST_F(DrainMachineTest, AFleetDrainThatGetsShorterTellsTheWorkers) {
  script_.Feed(DrainRequested{OfFleet(Command(kFinish, seconds(600)))}).Feed(SessionsListed{});
  script_.Feed(WorkersCalled{{"w1"}, 0});
  script_.Feed(DrainRequested{OfFleet(Exiting(Command(kClose)))});
  const DrainWorkers* order = script_.Last<DrainWorkers>();
  EXPECT_EQ(order->round, 1);
  EXPECT_EQ(order->budget, milliseconds(2850));
  EXPECT_TRUE(order->exit);
  script_.Feed(WorkersCalled{{"w1"}, 1}).Feed(WorkerUnreachable{"w1", 0});
  SettlesBackground();
  EXPECT_FALSE(script_.Has<Conclude>()) << "it waits for the answer of the last round";
  script_.Feed(WorkerDrained{"w1", {}, 1});
  ASSERT_TRUE(script_.Has<Conclude>());
  EXPECT_FALSE(machine_.WasForced());
}

TEST_F(DrainMachineTest, ASignalShortensAFleetDrainButDoesNotEndTheWorkers) {
  script_.Feed(DrainRequested{OfFleet(Command(kFinish, seconds(600)))}).Feed(SessionsListed{});
  script_.Feed(WorkersCalled{{"w1"}, 0}).Feed(DrainRequested{DrainBySignal(SIGTERM, seconds(3))});
  EXPECT_EQ(script_.Last<DrainWorkers>()->round, 1);
  EXPECT_FALSE(script_.Last<DrainWorkers>()->exit);
}

TEST_F(DrainMachineTest, AFleetCommandThatSaysStayEndsNoWorker) {
  script_.Feed(DrainRequested{Exiting(Command(kFinish))}).Feed(SessionsListed{{"a"}});
  script_.Feed(DrainRequested{OfFleet(Command(kFinish))});
  EXPECT_FALSE(script_.Last<DrainWorkers>()->exit);
  EXPECT_TRUE(machine_.exits());
}

TEST_F(DrainMachineTest, AFleetDrainThatIsAskedForAgainDoesNotCallTheWorkersAgain) {
  script_.Feed(DrainRequested{OfFleet(Command(kFinish))}).Feed(SessionsListed{{"a"}});
  script_.effects.clear();
  script_.Feed(DrainRequested{OfFleet(Command(kFinish, seconds(60)))});
  EXPECT_FALSE(script_.Has<DrainWorkers>());
}

TEST_F(DrainMachineTest, WhatWorkersSayOfADrainThatWasUndoneIsNotOfTheNext) {
  script_.Feed(DrainRequested{OfFleet(Command(kFinish, seconds(600)))}).Feed(SessionsListed{{"a"}});
  script_.Feed(WorkersCalled{{"w1"}, 0});
  ASSERT_TRUE(Undrain().ok());
  v1::DrainSummary of_the_first;
  of_the_first.add_forced("of_the_first");
  of_the_first.add_tasks_left("task");
  script_.Feed(WorkerDrained{"w1", of_the_first, 0});
  script_.Feed(DrainRequested{OfFleet(Command(kClose))}).Feed(SessionsListed{});
  EXPECT_EQ(script_.Last<DrainWorkers>()->round, 1);
  script_.Feed(WorkersCalled{{"w1"}, 1}).Feed(WorkerDrained{"w1", of_the_first, 0});
  SettlesBackground();
  EXPECT_FALSE(script_.Has<Conclude>());
  script_.Feed(WorkerDrained{"w1", {}, 1});
  ASSERT_TRUE(script_.Has<Conclude>());
  EXPECT_FALSE(machine_.WasForced());
  EXPECT_THAT(machine_.Summary().forced(), IsEmpty());
}

TEST_F(DrainMachineTest, WorkersAreNeverGivenLessThanTheyTake) {
  script_.Feed(DrainRequested{Command(kClose)}).Feed(SessionsListed{{"a"}});
  script_.Advance(milliseconds(2550)).Feed(DrainRequested{OfFleet(Command(kClose))});
  EXPECT_EQ(script_.Last<DrainWorkers>()->budget, DrainPlan::kTotalMin);
}

TEST_F(DrainMachineTest, WhatAWorkerLostIsNamedOnceHoweverOftenItSaysSo) {
  script_.Feed(DrainRequested{OfFleet(Command(kFinish, seconds(600)))}).Feed(SessionsListed{});
  v1::DrainSummary of_worker;
  of_worker.add_not_stored("a");
  of_worker.add_tasks_left("task");
  script_.Feed(WorkersCalled{{"w1"}, 0}).Feed(DrainRequested{OfFleet(Command(kClose))});
  script_.Feed(WorkerDrained{"w1", of_worker, 0}).Feed(WorkersCalled{{"w1"}, 1});
  SettlesBackground();
  script_.Feed(WorkerDrained{"w1", of_worker, 1});
  ASSERT_TRUE(script_.Has<Conclude>());
  EXPECT_THAT(machine_.Summary().not_stored(), ElementsAre("a"));
  EXPECT_THAT(machine_.Summary().tasks_left(), ElementsAre("task"));
  EXPECT_TRUE(machine_.WasForced());
}

}  // namespace
}  // namespace voicebridge

// Assessments from their trigger to their one result, on a clock of the test.
#include <gmock/gmock.h>

#include "tests/component/interview/desk_fixture.h"

namespace voicebridge::worker::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Outcome = ResponsesAnswer::Outcome;

TEST_F(DeskTest, TellsItsSessionOfEachStepAndStoresOneResult) {
  Process& process = Started();
  Assess(process, "a");
  EXPECT_THAT(ToldOf(process, "a"), ElementsAre("stored", "queued 1", "running 1"));
  clock.Advance(seconds(1));
  EXPECT_THAT(ToldOf(process, "a"), ElementsAre("stored", "queued 1", "running 1", "completed"));
  EXPECT_EQ(Stored("a").report_json, kReportInOrder);
  EXPECT_THAT(table.history, ElementsAre("create a 0", "claim a 1", "complete a 1"));
}

TEST_F(DeskTest, NeverRunsMoreThanItMay) {
  Process& process = Started();
  for (int i = 100; i < 200; ++i) {
    Assess(process, std::to_string(i));
  }
  EXPECT_EQ(process.desk.running(), 8U);
  EXPECT_EQ(process.desk.queued(), 92U);
  EXPECT_THAT(ToldOf(process, "109"), ElementsAre("stored", "queued 2"));
  clock.Advance(seconds(14));
  EXPECT_EQ(model.in_flight_max, 8);
  EXPECT_EQ(model.calls, 100);
  EXPECT_EQ(table.Count("complete"), 100);
  EXPECT_EQ(process.desk.running(), 0U);
  EXPECT_EQ(process.desk.queued(), 0U);
}

TEST_F(DeskTest, TellsThePositionInTheQueueWhenItChanges) {
  limits.parallel = 1;
  Process& process = Started();
  for (const char* const name : {"a", "b", "c"}) {
    Assess(process, name);
  }
  clock.Advance(seconds(3));
  EXPECT_THAT(ToldOf(process, "c"),
              ElementsAre("stored", "queued 2", "queued 1", "running 1", "completed"));
}

TEST_F(DeskTest, FailsWhatWaitedForTooLong) {
  limits.parallel = 1;
  limits.queue_max = seconds(30);
  model.takes = seconds(50);
  Process& process = Started();
  Assess(process, "a");
  Assess(process, "b");
  clock.Advance(seconds(30) - milliseconds(1));
  EXPECT_THAT(ToldOf(process, "b"), ElementsAre("stored", "queued 1"));
  clock.Advance(milliseconds(1));
  EXPECT_THAT(ToldOf(process, "b"), ElementsAre("stored", "queued 1", "failed queue_timeout"));
  EXPECT_EQ(Stored("b").state, AssessmentState::kFailed);
  EXPECT_EQ(Stored("b").failure_reason, "queue_timeout");
}

// --- Attempts ---

struct BadAnswer {
  const char* name;
  Outcome outcome;
  const char* text;
  const char* reason;
  int calls;
};

class BadAnswers : public DeskTest, public testing::WithParamInterface<BadAnswer> {};

TEST_P(BadAnswers, AreTriedAgainAndThenFailWithTheirReason) {
  model.answer = [](int) { return AnswerOf(GetParam().outcome, GetParam().text); };
  Process& process = Started();
  AssessAndWait(process, "a", seconds(10));
  EXPECT_EQ(model.calls, GetParam().calls);
  EXPECT_EQ(ToldOf(process, "a").back(), std::string("failed ") + GetParam().reason);
  EXPECT_EQ(Stored("a").failure_reason, GetParam().reason);
  EXPECT_EQ(table.Count("fail a 1"), 1);
  EXPECT_EQ(table.Count("claim"), 1);
}

TEST_P(BadAnswers, AreForgottenWhenALaterOneIsGood) {
  model.answer = [](int call) {
    return call == 1 ? AnswerOf(GetParam().outcome, GetParam().text)
                     : AnswerOf(Outcome::kText, std::string(kReport));
  };
  Process& process = Started();
  AssessAndWait(process, "a", seconds(10));
  const bool goes_on = GetParam().calls > 1;
  EXPECT_EQ(Stored("a").state, goes_on ? AssessmentState::kCompleted : AssessmentState::kFailed);
}

INSTANTIATE_TEST_SUITE_P(
    Each, BadAnswers,
    testing::Values(
        BadAnswer{"Refused", Outcome::kRefused, "", "model_refused", 3},
        BadAnswer{"Truncated", Outcome::kIncomplete, "", "model_output", 3},
        BadAnswer{"Empty", Outcome::kText, "", "model_output", 3},
        BadAnswer{"NotJson", Outcome::kText, "Sure!", "model_output", 3},
        BadAnswer{"OutOfRange", Outcome::kText,
                  R"({"note":null,"logic_errors_to_debug":["a","b"],"proficiency_level":"B1",)"
                  R"("domain_analyses":[{"rating":11,"domain":"x"}]})",
                  "model_output", 3},
        BadAnswer{"Unavailable", Outcome::kUnavailable, "", "model_unavailable", 3},
        BadAnswer{"Rejected", Outcome::kRejected, "", "model_unavailable", 1}),
    [](const auto& instance) { return std::string(instance.param.name); });

TEST_F(DeskTest, AsksTheModelInTheTraceOfTheSessionOrInOneOfItsOwn) {
  constexpr char kTrace[] = "4bf92f3577b34da6a3ce929d0e0e4736";
  Process& process = Started();
  const SessionOwner owner{"session_a", 1, "worker",
                           std::string("00-") + kTrace + "-00f067aa0ba902b7-01"};
  process.desk.Assess(owner, Record("a"), Duration::zero());
  clock.Advance(seconds(2));
  AssessAndWait(process, "b");  // As one that another process left.
  ASSERT_EQ(model.traces.size(), 2U);
  const auto first = ParseTraceparent(model.traces[0]);
  const auto second = ParseTraceparent(model.traces[1]);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->trace_id, kTrace);
  EXPECT_NE(first->span_id, "00f067aa0ba902b7");
  EXPECT_NE(second->trace_id, kTrace);
}

TEST_F(DeskTest, CountsWhatItsAttemptsCameTo) {
  model.answer = [](int call) {
    switch (call) {
      case 1:
        return AnswerOf(Outcome::kUnavailable);
      case 2:
        return AnswerOf(Outcome::kText, "no report");
      default:
        return AnswerOf(Outcome::kText, std::string(kReport));
    }
  };
  Process& process = Started();
  AssessAndWait(process, "a", seconds(20));
  EXPECT_EQ(ToldOf(process, "a").back(), "completed");
  EXPECT_EQ(process.metrics.AttemptsOf(AttemptOutcome::kUnavailable), 1);
  EXPECT_EQ(process.metrics.AttemptsOf(AttemptOutcome::kUnusable), 1);
  EXPECT_EQ(process.metrics.AttemptsOf(AttemptOutcome::kReport), 1);
}

TEST_F(DeskTest, WaitsBetweenAttemptsAsLongAsTheServiceAsks) {
  model.answer = [](int call) {
    ResponsesAnswer answer = AnswerOf(Outcome::kUnavailable);
    answer.retry_after = seconds(20);
    return call == 1 ? answer : AnswerOf(Outcome::kText, std::string(kReport));
  };
  Process& process = Started();
  AssessAndWait(process, "a", seconds(21) - milliseconds(1));
  EXPECT_EQ(model.calls, 1);
  clock.Advance(milliseconds(1));
  EXPECT_EQ(model.calls, 2);
  clock.Advance(seconds(1));
  EXPECT_THAT(ToldOf(process, "a"),
              ElementsAre("stored", "queued 1", "running 1", "running 2", "completed"));
}

TEST_F(DeskTest, DoesNotWaitForWhatIsBeyondItsBudget) {
  profiles.at("interview").mutable_assessment()->set_budget_seconds(30);
  model.answer = [](int) {
    ResponsesAnswer answer = AnswerOf(Outcome::kUnavailable);
    answer.retry_after = seconds(29);
    return answer;
  };
  Process& process = Started();
  AssessAndWait(process, "a", seconds(1));
  EXPECT_EQ(ToldOf(process, "a").back(), "failed model_unavailable");
}

TEST_F(DeskTest, SpendsItsBudgetOnAModelThatHangsAndNoMore) {
  model.takes = hours(1);
  Process& process = Started();
  AssessAndWait(process, "a", seconds(120) - milliseconds(1));
  EXPECT_EQ(model.calls, 3);
  EXPECT_EQ(model.in_flight, 1);
  clock.Advance(milliseconds(1));
  EXPECT_THAT(ToldOf(process, "a"), ElementsAre("stored", "queued 1", "running 1", "running 2",
                                                "running 3", "failed timeout"));
}

TEST_F(DeskTest, FailsWhatItsProfileDoesNotKnow) {
  Process& process = Started();
  AssessmentRecord record = Record("a");
  record.profile = "gone";
  process.desk.Assess({"session_a", 1, "worker"}, record, Duration::zero());
  clock.RunReady();
  EXPECT_EQ(ToldOf(process, "a").back(), "failed model_unavailable");
  EXPECT_EQ(model.calls, 0);
}

// --- A retry ---

TEST_F(DeskTest, RunsAgainAfterARetryUnderTheSameId) {
  model.answer = [](int call) {
    return call == 1 ? AnswerOf(Outcome::kRejected)
                     : AnswerOf(Outcome::kText, std::string(kReport));
  };
  Process& process = Started();
  AssessAndWait(process, "a");
  Stored("a").state = AssessmentState::kPending;
  process.desk.Readmit(Stored("a"));
  clock.Advance(seconds(1));
  EXPECT_THAT(ToldOf(process, "a"),
              ElementsAre("stored", "queued 1", "running 1", "failed model_unavailable", "queued 1",
                          "running 1", "completed"));
  EXPECT_EQ(table.Count("complete a 2"), 1);
}

TEST_F(DeskTest, TellsItsSessionOfARetryThatRunsElsewhere) {
  model.answer = [](int call) {
    return call == 1 ? AnswerOf(Outcome::kRejected)
                     : AnswerOf(Outcome::kText, std::string(kReport));
  };
  limits.parallel = 1;
  Process& process = Started();
  AssessAndWait(process, "a");
  limits.parallel = 8;
  Process& other = Started();
  Stored("a").state = AssessmentState::kPending;
  other.desk.Readmit(Stored("a"));
  model.takes = seconds(8);
  clock.Advance(seconds(14));
  EXPECT_THAT(ToldOf(process, "a"),
              ElementsAre("stored", "queued 1", "running 1", "failed model_unavailable",
                          "running 1", "completed"));
  EXPECT_THAT(ToldOf(other, "a").back(), "completed");
}

// --- Asked again ---

TEST_F(DeskTest, TellsTheStateWhenAskedAgain) {
  limits.parallel = 1;
  Process& process = Started();
  Assess(process, "a");
  Assess(process, "b");
  process.told.clear();
  Assess(process, "a");
  Assess(process, "b");
  EXPECT_THAT(ToldOf(process, "a"), ElementsAre("running 1"));
  EXPECT_THAT(ToldOf(process, "b"), ElementsAre("queued 1"));
  clock.Advance(seconds(5));
  process.told.clear();
  Assess(process, "a");
  EXPECT_THAT(ToldOf(process, "a"), ElementsAre("stored", "completed"));
  EXPECT_EQ(model.calls, 2);
}

TEST_F(DeskTest, TellsAFailureAgainWhenAskedAgain) {
  model.answer = [](int) { return AnswerOf(Outcome::kRejected); };
  Process& process = Started();
  AssessAndWait(process, "a", seconds(20));
  process.told.clear();
  AssessAndWait(process, "a", seconds(20));
  EXPECT_THAT(ToldOf(process, "a"), ElementsAre("stored", "failed model_unavailable"));
  EXPECT_EQ(model.calls, 1);
}

TEST_F(DeskTest, GoesOnWhenTheSessionForgets) {
  Process& process = Started();
  Assess(process, "a");
  process.desk.Forget("session_a");
  clock.Advance(seconds(2));
  EXPECT_EQ(Stored("a").state, AssessmentState::kCompleted);
}

}  // namespace
}  // namespace voicebridge::worker::test

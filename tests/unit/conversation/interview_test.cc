// The interview's flow: trigger, input gate, assessment, retry, keepalive.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/conversation/interview_script.h"

namespace voicebridge::worker {
namespace {

using Phase = v1::InterviewState;

TEST(Interview, IsEndedByTheModelsCallWithItsReason) {
  InterviewScript script;
  script.UserTurn("u1");
  script.Forget();
  script.TriggerByTool();
  EXPECT_EQ(script.phase(), Phase::ASSESSING);
  EXPECT_EQ(script.Count("voicebridge.assessment.started"), 1);
  ASSERT_EQ(script.All<StartAssessment>().size(), 1U);
  const StartAssessment start = script.All<StartAssessment>()[0];
  EXPECT_EQ(start.assessment_id, "asmt_vb_session");
  EXPECT_NE(start.input_json.find("ceiling"), std::string::npos);
  EXPECT_NE(start.input_json.find("안녕하세요"), std::string::npos);
  // The call is answered, and nothing is said after it.
  EXPECT_EQ(script.SentTypes(), "response.create conversation.item.create");
}

TEST(Interview, IsEndedByACallWithoutAUsableReasonAllTheSame) {
  for (const char* arguments : {"{not json", "{}", R"({"reason":7})"}) {
    InterviewScript script;
    script.Client(R"({"type":"response.create"})");
    script.Created("r1");
    script.OutputItemDone("r1", CallItem("c1", "trigger_assessment", arguments));
    script.Done("r1");
    ASSERT_EQ(script.All<StartAssessment>().size(), 1U) << arguments;
    EXPECT_NE(script.All<StartAssessment>()[0].input_json.find("The interviewer ended"),
              std::string::npos);
    const bool is_reported = !script.All<ReportTrouble>().empty() &&
                             script.All<ReportTrouble>()[0].event == "tool.arguments_invalid";
    EXPECT_EQ(is_reported, std::string_view(arguments) == "{not json") << arguments;
  }
}

TEST(Interview, TriggersOnceHoweverOftenTheModelCalls) {
  InterviewScript script;
  script.TriggerByTool();
  script.Created("r2");
  script.OutputItemDone("r2", CallItem("c2", "trigger_assessment", "{}"));
  script.Done("r2");
  EXPECT_EQ(script.Count("voicebridge.assessment.started"), 1);
  EXPECT_EQ(script.All<StartAssessment>().size(), 1U);
  EXPECT_NE(script.LastSent("item.output").find("already_started"), std::string::npos);
}

TEST(Interview, IsEndedByTheUser) {
  InterviewScript script;
  script.Client(R"({"type":"voicebridge.assessment.request"})");
  EXPECT_EQ(script.All<StartAssessment>().size(), 1U);
  script.Stored();
  EXPECT_EQ(script.LastToClient("reason"), "The user ended the interview.");
  script.Client(R"({"type":"voicebridge.assessment.request","event_id":"again"})");
  EXPECT_EQ(script.LastToClient("error.code"), "input_not_accepted");
  EXPECT_EQ(script.LastToClient("error.event_id"), "again");
}

TEST(Interview, ThatTheProfileDoesNotHaveCannotBeAskedFor) {
  Script script;
  script.Start();
  script.Client(R"({"type":"voicebridge.assessment.request"})");
  EXPECT_EQ(script.LastToClient("error.code"), "no_assessment");
}

TEST(Interview, ReachesItsTurnLimitAfterTheLastTurnIsAnswered) {
  InterviewScript script;
  for (const char* item : {"u1", "u2", "u3"}) {
    script.UserTurn(item);
    EXPECT_EQ(script.phase(), Phase::LISTENING) << item;
    script.Client(R"({"type":"response.create"})");
    script.Created(std::string("r_") + item);
    script.Done(std::string("r_") + item);
  }
  EXPECT_EQ(script.phase(), Phase::ASSESSING);
}

TEST(Interview, ReachesItsTurnLimitEvenIfNobodyAnswers) {
  InterviewScript script;
  for (const char* item : {"u1", "u2", "u3"}) {
    script.UserTurn(item);
  }
  script.Wait(milliseconds(9'999));
  EXPECT_EQ(script.phase(), Phase::LISTENING);
  script.Wait(milliseconds(1));
  EXPECT_EQ(script.phase(), Phase::ASSESSING);
}

TEST(Interview, ReachesItsTimeLimit) {
  InterviewScript script;
  script.Wait(seconds(600) - milliseconds(1));
  EXPECT_EQ(script.phase(), Phase::LISTENING);
  script.Wait(milliseconds(1));
  EXPECT_EQ(script.phase(), Phase::ASSESSING);
}

// --- Stored, then announced; given away with its last words ---

TEST(Interview, IsAnnouncedOnceItIsStoredAndNotBefore) {
  InterviewScript script;
  script.CallTrigger();
  EXPECT_EQ(script.All<StartAssessment>().size(), 1U);
  EXPECT_EQ(script.Count("voicebridge.assessment.started"), 0);
  script.Stored();
  EXPECT_EQ(script.LastToClient("type"), "voicebridge.assessment.started");
  EXPECT_EQ(script.LastToClient("assessment_id"), "asmt_vb_session");
  EXPECT_EQ(script.LastToClient("reason"), "ceiling");
  script.Stored();
  script.Handle(AssessmentUpdated{AssessmentQueued{1}});
  EXPECT_EQ(script.Count("voicebridge.assessment.started"), 1);
}

TEST(Interview, IsAnnouncedByWhateverSaysThatItIsStored) {
  InterviewScript script;
  script.CallTrigger();
  script.Completed();
  EXPECT_EQ(script.Count("voicebridge.assessment.started"), 1);
  EXPECT_EQ(script.Count("voicebridge.assessment.completed"), 1);
}

TEST(Interview, SaysAfterASecondThatStoringTakesItsTime) {
  InterviewScript script;
  script.CallTrigger();
  script.Wait(milliseconds(999));
  EXPECT_EQ(script.Count("voicebridge.assessment.progress"), 0);
  script.Wait(milliseconds(1));
  EXPECT_EQ(script.LastToClient("stage"), "storing");
  for (int i = 0; i < 20; ++i) {
    script.Wait(seconds(1));
  }
  EXPECT_EQ(script.Count("voicebridge.assessment.progress"), 1);
  EXPECT_EQ(script.Count("voicebridge.keepalive"), 7);
}

TEST(Interview, SaysNothingOfStoringWhenThatIsQuick) {
  InterviewScript script;
  script.TriggerByTool();
  script.Wait(seconds(2));
  EXPECT_EQ(script.Count("voicebridge.assessment.progress"), 0);
}

TEST(Interview, IsStoredAtOnceAndAgainWithTheTranscriptOfTheLastTurn) {
  InterviewScript script;
  script.UserTurn("u1", false);
  script.TriggerByTool();
  ASSERT_EQ(script.All<StartAssessment>().size(), 1U);
  EXPECT_EQ(script.All<StartAssessment>()[0].words_awaited, seconds(5));
  script.Wait(seconds(4));
  script.Transcribed("u1", "늦었어요");
  ASSERT_EQ(script.All<StartAssessment>().size(), 2U);
  const StartAssessment complete = script.All<StartAssessment>()[1];
  EXPECT_EQ(complete.words_awaited, Duration::zero());
  EXPECT_EQ(complete.assessment_id, "asmt_vb_session");
  EXPECT_NE(complete.input_json.find("늦었어요"), std::string::npos);
  EXPECT_EQ(script.Count("voicebridge.assessment.started"), 1);
}

TEST(Interview, DoesNotWaitForTranscriptsForEver) {
  InterviewScript script;
  script.UserTurn("u1", false);
  script.TriggerByTool();
  script.Wait(milliseconds(4'999));
  EXPECT_EQ(script.All<StartAssessment>().size(), 1U);
  script.Wait(milliseconds(1));
  ASSERT_EQ(script.All<StartAssessment>().size(), 2U);
  EXPECT_EQ(script.All<StartAssessment>()[1].words_awaited, Duration::zero());
}

TEST(Interview, ThatEndsWhileTranscriptsAreAwaitedIsGivenAwayAsItIs) {
  InterviewScript script;
  script.UserTurn("u1");
  script.UserTurn("u2", false);
  script.TriggerByTool();
  script.UpstreamCloses(1006);
  const auto left = script.conversation().TakeUnsubmitted(script.now());
  ASSERT_TRUE(left);
  EXPECT_EQ(left->words_awaited, Duration::zero());
  EXPECT_NE(left->input_json.find("안녕하세요"), std::string::npos);
  EXPECT_FALSE(script.conversation().TakeUnsubmitted(script.now())) << "once";
}

TEST(Interview, HasNothingToGiveAwayUnlessItWaits) {
  InterviewScript script;
  EXPECT_FALSE(script.conversation().TakeUnsubmitted(script.now()));
  script.TriggerByTool();
  EXPECT_FALSE(script.conversation().TakeUnsubmitted(script.now()));
}

// --- Closed to the user ---

TEST(Interview, AcceptsNoMoreInputOnceItIsOver) {
  InterviewScript script;
  script.TriggerByTool();
  script.Forget();
  script.ClientAudio(4'800);
  script.ClientAudio(4'800);
  EXPECT_EQ(script.ClientTypes(), "error") << "said once, not with each frame";
  for (const char* event :
       {R"({"type":"input_audio_buffer.commit"})", R"({"type":"response.create"})",
        R"({"type":"conversation.item.create","item":{"type":"message"}})",
        R"({"type":"input_audio_buffer.append","audio":"AAAA"})"}) {
    script.Client(event);
    EXPECT_EQ(script.LastToClient("error.code"), "input_not_accepted") << event;
  }
  EXPECT_EQ(script.SentTypes(), "");
  EXPECT_TRUE(script.All<SendUpstreamAudio>().empty());
}

TEST(Interview, RefusesTheResponsesThatWereStillHeld) {
  InterviewScript script;
  script.Client(R"({"type":"response.create"})");
  script.Client(R"({"type":"response.create","event_id":"held"})");
  script.Created("r1");
  script.OutputItemDone("r1", CallItem("c1", "trigger_assessment", "{}"));
  EXPECT_EQ(script.LastToClient("error.event_id"), "held");
  script.Done("r1");
  EXPECT_EQ(script.SentTypes(), "response.create conversation.item.create");
}

TEST(Interview, RefusesAResponseThatCollidedAndWouldGoAgain) {
  InterviewScript script;
  script.Client(R"({"type":"response.create","event_id":"late"})");
  script.Client(R"({"type":"voicebridge.assessment.request"})");
  script.Forget();
  script.Fails("late", "conversation_already_has_active_response");
  EXPECT_EQ(script.SentTypes(), "");
  EXPECT_EQ(script.LastToClient("error.code"), "input_not_accepted");
  EXPECT_EQ(script.LastToClient("error.event_id"), "late");
}

TEST(Interview, ShowsSignsOfLifeEveryThreeSecondsAndNoneAfterTheReport) {
  InterviewScript script;
  script.TriggerByTool();
  for (int i = 1; i <= 4; ++i) {
    script.Wait(milliseconds(2'999));
    EXPECT_EQ(script.Count("voicebridge.keepalive"), i - 1);
    script.Wait(milliseconds(1));
    EXPECT_EQ(script.Count("voicebridge.keepalive"), i);
  }
  script.Completed();
  script.Forget();
  script.Wait(seconds(30));
  EXPECT_EQ(script.Count("voicebridge.keepalive"), 0);
}

TEST(Interview, TellsTheQueuePositionAndTheAttempt) {
  InterviewScript script;
  script.TriggerByTool();
  script.Handle(AssessmentUpdated{AssessmentQueued{3}});
  EXPECT_EQ(script.LastToClient("stage"), "queued");
  EXPECT_EQ(script.LastToClient("position"), "3");
  script.Handle(AssessmentUpdated{AssessmentRunning{2}});
  EXPECT_EQ(script.LastToClient("stage"), "writing");
  EXPECT_EQ(script.LastToClient("attempt"), "2");
  EXPECT_EQ(script.LastToClient("assessment_id"), "asmt_vb_session");
}

TEST(Interview, DeliversTheReportBeforeAnythingIsSpokenAndOnce) {
  InterviewScript script;
  script.TriggerByTool();
  script.Forget();
  script.Completed();
  ASSERT_FALSE(script.effects().empty());
  const auto* first = std::get_if<SendClientEvent>(&script.effects()[0]);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->event.type(), "voicebridge.assessment.completed");
  EXPECT_EQ(Script::Member(first->event.json(), "report.proficiency_level"), "B1");
  EXPECT_NE(Script::Member(first->event.json(), "summary"), "absent");
  script.Completed();
  EXPECT_EQ(script.Count("voicebridge.assessment.completed"), 1);
}

TEST(Interview, CanBeAssessedAgainAfterAFailure) {
  InterviewScript script;
  script.TriggerByTool();
  script.Handle(AssessmentUpdated{AssessmentFailed{"model_output"}});
  EXPECT_EQ(script.phase(), Phase::FAILED);
  EXPECT_EQ(script.LastToClient("reason"), "model_output");
  EXPECT_EQ(script.LastToClient("retryable"), "true");
  script.Forget();
  script.Client(R"({"type":"voicebridge.assessment.retry"})");
  EXPECT_EQ(script.All<RetryAssessment>().size(), 1U);
  EXPECT_TRUE(script.All<StartAssessment>().empty()) << "its transcript is fixed";
  script.Completed();
  EXPECT_EQ(script.Count("voicebridge.assessment.completed"), 1);
}

TEST(Interview, ThatCouldNotBeStoredIsStoredWhenItIsTriedAgain) {
  InterviewScript script;
  script.UserTurn("u1", false);
  script.CallTrigger();
  script.Handle(AssessmentUpdated{AssessmentFailed{"store_unavailable"}});
  EXPECT_EQ(script.LastToClient("type"), "voicebridge.assessment.failed");
  script.Forget();
  script.Wait(seconds(10));
  EXPECT_TRUE(script.All<StartAssessment>().empty()) << "not before that is asked for";
  script.Client(R"({"type":"voicebridge.assessment.retry"})");
  EXPECT_TRUE(script.All<RetryAssessment>().empty()) << "the store does not have it";
  ASSERT_EQ(script.All<StartAssessment>().size(), 1U);
  script.Wait(seconds(5));
  ASSERT_EQ(script.All<StartAssessment>().size(), 2U);
  script.Stored();
  EXPECT_EQ(script.Count("voicebridge.assessment.started"), 1);
}

TEST(Interview, IsAssessedAgainWhenThatWasAskedForElsewhere) {
  InterviewScript script;
  script.TriggerByTool();
  script.Handle(AssessmentUpdated{AssessmentFailed{"model_output"}});
  script.Handle(AssessmentUpdated{AssessmentRunning{1}});
  EXPECT_EQ(script.phase(), Phase::ASSESSING);
  script.Wait(seconds(3));
  EXPECT_EQ(script.Count("voicebridge.keepalive"), 1);
  script.Handle(AssessmentUpdated{AssessmentFailed{"model_output"}});
  EXPECT_EQ(script.Count("voicebridge.assessment.failed"), 2) << "or the page waits for ever";
}

TEST(Interview, IsNotAssessedAgainWithoutAFailure) {
  InterviewScript script;
  script.Client(R"({"type":"voicebridge.assessment.retry","event_id":"r"})");
  EXPECT_EQ(script.LastToClient("error.code"), "assessment_not_failed");
  EXPECT_TRUE(script.All<RetryAssessment>().empty());
}

TEST(Interview, PublishesItsPhaseInTheSnapshot) {
  InterviewScript script;
  script.TriggerByTool();
  EXPECT_EQ(script.copy().interview().phase(), Phase::ASSESSING);
  EXPECT_EQ(script.copy().interview().assessment_id(), "asmt_vb_session");
  EXPECT_TRUE(script.copy().interview().submitted());
  EXPECT_TRUE(script.copy().interview().announced());
  EXPECT_EQ(script.copy().SerializeAsString(),
            script.conversation().snapshot().SerializeAsString());
}

}  // namespace
}  // namespace voicebridge::worker

// The spoken summary: whose voice, when, and every way in which it can end.
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/conversation/interview_script.h"

namespace voicebridge::worker {
namespace {

using Phase = v1::InterviewState;

TEST(Summary, IsReadByTheConversationsVoiceWithTheLanguageInstruction) {
  InterviewScript script;
  script.TriggerByTool();
  script.Forget();
  script.Completed();
  ASSERT_EQ(script.SentTypes(), "response.create");
  EXPECT_NE(script.LastSent("response.instructions").find("Speak English."), std::string::npos);
  EXPECT_NE(script.LastSent("response.instructions").find("B1"), std::string::npos);
  EXPECT_EQ(script.LastSent("response.tool_choice"), "none");
  script.Created("r_sum");
  EXPECT_EQ(script.phase(), Phase::SUMMARISING);
  script.Done("r_sum");
  EXPECT_EQ(script.phase(), Phase::ENDED);
}

TEST(Summary, WaitsForTheEndOfAResponseAndBeginsAtOnceThen) {
  InterviewScript script;
  script.TriggerByTool();
  script.Created("late");
  script.Forget();
  script.Completed();
  EXPECT_EQ(script.SentTypes(), "");
  script.Wait(seconds(1));
  script.Done("late");
  EXPECT_EQ(script.SentTypes(), "response.create");
}

TEST(Summary, IsLeftOutWhenAResponseDoesNotEndInFourSeconds) {
  InterviewScript script;
  script.TriggerByTool();
  script.Created("stuck");
  script.Forget();
  script.Completed();
  script.Wait(milliseconds(3'999));
  EXPECT_EQ(script.phase(), Phase::SUMMARISING);
  script.Wait(milliseconds(1));
  EXPECT_EQ(script.phase(), Phase::ENDED);
  EXPECT_EQ(script.SentTypes(), "");
  EXPECT_EQ(script.Count("voicebridge.assessment.completed"), 1);
}

TEST(Summary, ThatIsRefusedIsNoErrorForTheUser) {
  InterviewScript script;
  script.TriggerByTool();
  script.Forget();
  script.Completed();
  script.Fails(script.LastSent("event_id"), "rate_limit_exceeded");
  EXPECT_EQ(script.phase(), Phase::ENDED);
  EXPECT_EQ(script.Count("error"), 0);
}

TEST(Summary, ThatIsCancelledBeforeItCollidesIsOver) {
  InterviewScript script;
  script.TriggerByTool();
  script.Forget();
  script.Completed();
  script.Client(R"({"type":"response.cancel"})");
  script.Fails(script.LastSent("event_id"), "conversation_already_has_active_response");
  EXPECT_EQ(script.phase(), Phase::ENDED);
  EXPECT_EQ(script.Count("error"), 0);
}

TEST(Summary, ThatDoesNotStartInTimeIsNoErrorForTheUser) {
  InterviewScript script;
  script.TriggerByTool();
  script.Forget();
  script.Completed();
  script.Wait(seconds(10));
  EXPECT_EQ(script.phase(), Phase::ENDED);
  EXPECT_EQ(script.Count("error"), 0);
}

// --- with a voice of its own
// ----------------------------------------------------------------------

class SecondVoice : public testing::Test {
 protected:
  SecondVoice() : script_(InterviewProfile("cedar")) {
    script_.TriggerByTool();
    script_.Forget();
    script_.Completed();
  }

  void Second(const std::string& text) { script_.Handle(SummaryMessage{text}); }
  void Configure() {
    Second(R"({"type":"session.created","session":{}})");
    Second(R"({"type":"session.updated","session":{}})");
  }
  void Begin() {
    Second(R"({"type":"response.created","response":{"id":"r1","conversation_id":"c"}})");
    Second(R"({"type":"conversation.item.added","previous_item_id":null,"item":{"id":"i1",)"
           R"("type":"message","role":"assistant","status":"in_progress","content":[]}})");
  }
  void Audio(std::size_t samples) {
    std::string delta;
    AppendBase64(std::string(samples * 2, 's'), delta);
    Second(R"({"type":"response.output_audio.delta","response_id":"r1","item_id":"i1",)"
           R"("output_index":0,"content_index":0,"delta":")" +
           delta + "\"}");
  }
  void End() {
    Second(R"({"type":"response.done","response":{"id":"r1","status":"completed","output":[)"
           R"({"id":"i1","type":"message","role":"assistant","status":"completed","content":[)"
           R"({"type":"output_audio","transcript":"You did well."}]}]}})");
  }
  void ExpectFallBack() {
    EXPECT_EQ(script_.All<CloseSummary>().size(), 1U);
    ASSERT_EQ(script_.SentTypes(), "response.create");
    EXPECT_NE(script_.LastSent("response.instructions").find("Speak English."), std::string::npos);
    EXPECT_EQ(script_.phase(), Phase::SUMMARISING);
  }

  InterviewScript script_;
};

TEST_F(SecondVoice, IsAFreshConnectionWithItsVoiceAndNoTools) {
  EXPECT_EQ(script_.All<OpenSummary>().size(), 1U);
  EXPECT_EQ(script_.SentTypes(), "") << "nothing on the conversation's upstream";
  Configure();
  ASSERT_EQ(script_.SummarySent(), "session.update response.create");
  const std::string update = script_.All<SendSummary>()[0].json;
  EXPECT_EQ(Script::Member(update, "session.audio.output.voice"), "cedar");
  EXPECT_EQ(Script::Member(update, "session.tools"), "absent");
  EXPECT_EQ(Script::Member(update, "session.audio.input.turn_detection"), "null");
}

TEST_F(SecondVoice, ReachesTheClientAsAnOrdinaryResponseUnderIdsOfItsOwn) {
  Configure();
  script_.Forget();
  Begin();
  Audio(2'400);
  End();
  EXPECT_EQ(script_.ClientTypes(), "response.created conversation.item.added response.done");
  ASSERT_EQ(script_.All<SendClientAudio>().size(), 1U);
  EXPECT_EQ(script_.All<SendClientAudio>()[0].audio.item_id(), "vbs_i1");
  EXPECT_EQ(script_.All<SendClientAudio>()[0].audio.response_id(), "vbs_r1");
  EXPECT_EQ(script_.LastToClient("response.id"), "vbs_r1");
  EXPECT_EQ(script_.All<CloseSummary>().size(), 1U);
  EXPECT_EQ(script_.phase(), Phase::ENDED);
}

TEST(SecondVoiceOfATalk, StandsBehindIt) {
  InterviewScript script(InterviewProfile("cedar"));
  script.UserTurn("u1");
  script.TriggerByTool();
  script.Completed();
  script.Handle(SummaryMessage{R"({"type":"session.created","session":{}})"});
  script.Handle(SummaryMessage{R"({"type":"session.updated","session":{}})"});
  script.Handle(SummaryMessage{
      R"({"type":"conversation.item.added","previous_item_id":null,"item":{"id":"i1",)"
      R"("type":"message","role":"assistant","status":"in_progress","content":[]}})"});
  EXPECT_EQ(script.LastToClient("item.id"), "vbs_i1");
  EXPECT_EQ(script.LastToClient("previous_item_id"), "u1") << "calls are hidden";
  EXPECT_TRUE(script.Order().ends_with(" vbs_i1")) << script.Order();
}

TEST_F(SecondVoice, WaitsForAResponseThatVoiceActivityBeganMeanwhile) {
  Second(R"({"type":"session.created","session":{}})");
  script_.Created("r_unasked");
  Second(R"({"type":"session.updated","session":{}})");
  EXPECT_EQ(script_.SummarySent(), "session.update");
  script_.Done("r_unasked");
  EXPECT_EQ(script_.SummarySent(), "session.update response.create");
}

TEST_F(SecondVoice, FailsToConnectAndTheOtherVoiceReadsIt) {
  script_.Handle(SummaryClosed{});
  ExpectFallBack();
}

TEST_F(SecondVoice, IsNotConfiguredInFiveSecondsAndTheOtherVoiceReadsIt) {
  Second(R"({"type":"session.created","session":{}})");
  script_.Wait(milliseconds(4'999));
  EXPECT_EQ(script_.SentTypes(), "");
  script_.Wait(milliseconds(1));
  ExpectFallBack();
}

TEST_F(SecondVoice, IsRefusedAndTheOtherVoiceReadsIt) {
  Second(R"({"type":"session.created","session":{}})");
  Second(R"({"type":"error","error":{"type":"invalid_request_error","code":"x","message":"m"}})");
  ExpectFallBack();
  EXPECT_EQ(script_.Count("error"), 0);
}

TEST_F(SecondVoice, BreaksBeforeAudioAndTheClientSeesItsResponseEnd) {
  Configure();
  Begin();
  script_.Forget();
  script_.Handle(SummaryClosed{});
  EXPECT_EQ(script_.ClientTypes(), "response.done");
  EXPECT_EQ(script_.LastToClient("response.id"), "vbs_r1");
  EXPECT_EQ(script_.LastToClient("response.status"), "failed");
  ExpectFallBack();
}

TEST_F(SecondVoice, FailsToSpeakAndTheOtherVoiceReadsIt) {
  Configure();
  Begin();
  script_.Forget();
  Second(R"({"type":"response.done","response":{"id":"r1","status":"failed","output":[]}})");
  EXPECT_EQ(script_.ClientTypes(), "response.done");
  ExpectFallBack();
}

TEST_F(SecondVoice, BreaksAfterAudioAndTheSpeechJustEnds) {
  Configure();
  Begin();
  Audio(2'400);
  script_.Forget();
  script_.Handle(SummaryClosed{});
  EXPECT_EQ(script_.ClientTypes(), "response.done");
  EXPECT_EQ(script_.SentTypes(), "");
  EXPECT_EQ(script_.phase(), Phase::ENDED);
}

TEST_F(SecondVoice, SpeaksForSixtySecondsAtMost) {
  Configure();
  Begin();
  Audio(2'400);
  script_.Forget();
  script_.Wait(milliseconds(59'999));
  EXPECT_EQ(script_.phase(), Phase::SUMMARISING);
  script_.Wait(milliseconds(1));
  EXPECT_EQ(script_.phase(), Phase::ENDED);
  EXPECT_EQ(script_.All<CloseSummary>().size(), 1U);
}

TEST_F(SecondVoice, IsInterruptedWithIdsAsItKnowsThem) {
  Configure();
  Begin();
  Audio(24'000);
  script_.Forget();
  script_.Client(R"({"type":"response.cancel","response_id":"vbs_r1"})");
  script_.Client(R"({"type":"conversation.item.truncate","item_id":"vbs_i1","content_index":0,)"
                 R"("audio_end_ms":500})");
  ASSERT_EQ(script_.SummarySent(), "response.cancel conversation.item.truncate");
  EXPECT_EQ(Script::Member(script_.All<SendSummary>()[0].json, "response_id"), "r1");
  EXPECT_EQ(Script::Member(script_.All<SendSummary>()[1].json, "item_id"), "i1");
  EXPECT_EQ(script_.SentTypes(), "");
  Audio(2'400);
  EXPECT_TRUE(script_.All<SendClientAudio>().empty());
}

TEST_F(SecondVoice, ThatIsGoneHasItsTruncateCarriedOutByUs) {
  Configure();
  Begin();
  Audio(24'000);
  End();
  script_.Forget();
  script_.Client(R"({"type":"conversation.item.truncate","item_id":"vbs_i1","content_index":0,)"
                 R"("audio_end_ms":500})");
  EXPECT_EQ(script_.ClientTypes(), "conversation.item.truncated");
  EXPECT_EQ(script_.LastToClient("audio_end_ms"), "500");
  EXPECT_EQ(script_.SentTypes() + script_.SummarySent(), "");
}

}  // namespace
}  // namespace voicebridge::worker

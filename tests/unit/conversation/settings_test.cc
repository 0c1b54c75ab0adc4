// What a client may change in a running session, and when the voice may go along.
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/conversation/script.h"

namespace voicebridge::worker {
namespace {

constexpr std::string_view kVoiceUpdate =
    R"({"type":"session.update","event_id":"v","session":{"type":"realtime","tools":[],)"
    R"("audio":{"output":{"voice":"ash"}}}})";

void Confirm(Script& script, std::string_view session) {
  script.Upstream(fmt::format(R"({{"type":"session.updated","session":{}}})", session));
}

TEST(SessionUpdate, PassesAndBecomesTheSettings) {
  Script script;
  script.Start();
  script.Client(
      R"({"type":"session.update","event_id":"u","session":{"type":"realtime","instructions":"New."}})");
  EXPECT_EQ(script.LastSent("session.instructions"), "New.");
  EXPECT_EQ(script.LastSent("event_id"), "u");
  EXPECT_TRUE(script.All<PublishSnapshotDelta>().empty());
  Confirm(script, SessionJson("null", "New."));
  EXPECT_EQ(script.ClientTypes(), "session.updated");
  EXPECT_EQ(Script::Member(script.copy().settings().session_json(), "instructions"), "New.");
}

TEST(SessionUpdate, OfALockedSettingAppliesNothing) {
  v1::Profile profile = TestProfile();
  profile.add_locked_settings("instructions");
  Script script(profile);
  script.Start();
  script.Client(
      R"({"type":"session.update","event_id":"u","session":{"type":"realtime","tools":[],"instructions":"x"}})");
  EXPECT_EQ(script.SentTypes(), "");
  EXPECT_EQ(script.LastToClient("error.code"), "setting_locked");
  EXPECT_EQ(script.LastToClient("error.param"), "session.instructions");
  EXPECT_EQ(script.LastToClient("error.event_id"), "u");
  script.Client(R"({"type":"response.create","response":{"instructions":"x"}})");
  EXPECT_EQ(script.SentTypes(), "");
  EXPECT_EQ(script.LastToClient("error.code"), "setting_locked");
}

TEST(SessionUpdate, ThatIsRefusedIsShownUnderTheClientsId) {
  Script script;
  script.Start();
  script.Client(R"({"type":"session.update","session":{"type":"realtime","temperature":1}})");
  script.Fails(script.LastSent("event_id"), "unknown_parameter");
  EXPECT_EQ(script.LastToClient("error.code"), "unknown_parameter");
  EXPECT_EQ(script.LastToClient("error.event_id"), "null");
}

TEST(SessionUpdate, ThatIsNotAnsweredInTimeIsAClearError) {
  Script script;
  script.Start();
  script.Client(
      R"({"type":"session.update","event_id":"u","session":{"type":"realtime","instructions":"New."}})");
  EXPECT_EQ(script.conversation().NextDeadline(), script.now() + seconds(10));
  script.Wait(milliseconds(9'999));
  EXPECT_EQ(script.ClientTypes(), "");
  script.Wait(milliseconds(1));
  EXPECT_EQ(script.LastToClient("error.code"), "session_update_timeout");
  EXPECT_EQ(script.LastToClient("error.event_id"), "u");
  ASSERT_EQ(script.All<ReportTrouble>().size(), 1U);
  EXPECT_EQ(script.All<ReportTrouble>()[0].event, "session.update_late");
  script.Wait(seconds(30));
  EXPECT_EQ(script.ClientTypes(), "error") << "once";
}

TEST(SessionUpdate, OfManyEachIsAnsweredWithinItsOwnTime) {
  Script script;
  script.Start();
  script.Client(kVoiceUpdate);
  script.Wait(seconds(4));
  script.Client(R"({"type":"session.update","event_id":"w","session":{"type":"realtime"}})");
  Confirm(script, SessionJson("null", "Be kind.", "ash"));
  script.Wait(seconds(6));
  EXPECT_EQ(script.ClientTypes(), "session.updated") << "the first was answered";
  script.Wait(seconds(4));
  EXPECT_EQ(script.LastToClient("error.event_id"), "w");
}

TEST(SessionUpdate, ThatIsAnsweredLateBecomesTheSettingsAllTheSame) {
  Script script;
  script.Start();
  script.Client(
      R"({"type":"session.update","event_id":"u","session":{"type":"realtime","instructions":"New."}})");
  script.Wait(seconds(10));
  Confirm(script, SessionJson("null", "New."));
  EXPECT_EQ(script.ClientTypes(), "error session.updated");
  EXPECT_EQ(Script::Member(script.copy().settings().session_json(), "instructions"), "New.");
  script.Wait(seconds(30));
  EXPECT_EQ(script.ClientTypes(), "error session.updated");
}

TEST(SessionUpdate, ThatIsTakenBackByItsTimeoutIsNotReckonedWith) {
  Script script;
  script.Start();
  script.Client(kVoiceUpdate);
  script.Wait(seconds(10));
  script.Client(kVoiceUpdate);
  EXPECT_EQ(script.LastSent("session.audio.output.voice"), "ash") << "it goes again";
}

TEST(Voice, GoesAlongBeforeAnyAudio) {
  Script script;
  script.Start();
  script.Client(kVoiceUpdate);
  EXPECT_EQ(script.LastSent("session.audio.output.voice"), "ash");
}

TEST(Voice, ThatIsTheCurrentOneIsDropped) {
  Script script;
  script.Start();
  script.Client(kVoiceUpdate);
  script.Client(kVoiceUpdate);
  EXPECT_EQ(script.LastSent("session"), R"({"type":"realtime","tools":[]})");
  Confirm(script, SessionJson("null", "Be kind.", "ash"));
  script.Client(kVoiceUpdate);
  EXPECT_EQ(script.LastSent("session"), R"({"type":"realtime","tools":[]})");
}

TEST(Voice, AfterAudioBecomesAWishInTheInstructions) {
  Script script;
  script.Start();
  script.Speak("r1", "i1", 100);
  script.Done("r1");
  script.Client(kVoiceUpdate);
  EXPECT_EQ(script.LastSent("session.audio"), "absent");
  EXPECT_EQ(script.LastSent("session.tools"), "[]");
  const std::string first = script.LastSent("session.instructions");
  EXPECT_TRUE(first.starts_with("Be kind.\n\n")) << first;
  EXPECT_NE(first.find("'ash'"), std::string::npos);
  script.Client(kVoiceUpdate);
  EXPECT_EQ(script.LastSent("session.instructions"), first) << "while unconfirmed";
  script.Client(
      R"({"type":"session.update","session":{"type":"realtime","instructions":"Be brief.",)"
      R"("audio":{"output":{"voice":"cedar","speed":1.2}}}})");
  const std::string other = script.LastSent("session.instructions");
  EXPECT_TRUE(other.starts_with("Be brief.\n\n")) << other;
  EXPECT_EQ(other.find("'ash'"), std::string::npos);
  EXPECT_NE(other.find("'cedar'"), std::string::npos);
  EXPECT_EQ(script.LastSent("session.audio.output.voice"), "absent");
  EXPECT_NE(script.LastSent("session.audio.output.speed"), "absent");
}

TEST(Voice, WaitsForNoResponse) {
  Script script;
  script.Start();
  script.Client(R"({"type":"response.create"})");
  script.Client(kVoiceUpdate);
  EXPECT_EQ(script.LastSent("session.audio"), "absent");
}

TEST(Voice, ThatTheUpstreamRefusesAfterAllIsReplacedByTheWish) {
  Script script;
  script.Start(kServerVad);
  script.Client(kVoiceUpdate);
  script.Fails("v", "cannot_update_voice");
  EXPECT_EQ(script.ClientTypes(), "");
  ASSERT_EQ(script.SentTypes(), "session.update session.update");
  EXPECT_EQ(script.LastSent("session.audio"), "absent");
  EXPECT_EQ(script.LastSent("session.tools"), "[]");
  EXPECT_NE(script.LastSent("session.instructions").find("'ash'"), std::string::npos);
}

TEST(Voice, OfASingleResponseFollowsTheSameRule) {
  constexpr std::string_view kCreate =
      R"({"type":"response.create","response":{"audio":{"output":{"voice":"ash"}}}})";
  Script script;
  script.Start();
  script.Client(kCreate);
  EXPECT_EQ(script.LastSent("response.audio.output.voice"), "ash");
  script.Client(kCreate);
  script.Speak("r1", "i1", 100);
  script.Done("r1");
  ASSERT_EQ(script.Sent().size(), 2U);
  EXPECT_EQ(script.LastSent("response"), "{}") << "judged when it is sent";
}

TEST(ClientEventsInCore, OfUnknownTypePassUnchanged) {
  Script script;
  script.Start();
  const std::string odd = R"({ "type" : "conversation.item.retrieve",  "item_id":"x" })";
  script.Client(odd);
  ASSERT_EQ(script.Sent().size(), 1U);
  EXPECT_EQ(script.Sent()[0], odd);
}

TEST(ClientEventsInCore, ThatAreNoJsonAreAnsweredWithAnError) {
  Script script;
  script.Start();
  script.Client("{");
  EXPECT_EQ(script.LastToClient("error.code"), "invalid_json");
}

TEST(FunctionCallOutput, NeedsAKnownCall) {
  Script script;
  script.Start();
  constexpr std::string_view kOutput =
      R"({"type":"conversation.item.create","event_id":"o","item":{"type":"function_call_output",)"
      R"("call_id":"call_1","output":"4"}})";
  script.Client(kOutput);
  EXPECT_EQ(script.SentTypes(), "");
  EXPECT_EQ(script.LastToClient("error.code"), "invalid_tool_call_id");
  EXPECT_EQ(script.LastToClient("error.event_id"), "o");
  script.Added("null", R"({"id":"f","type":"function_call","call_id":"call_1","name":"add"})");
  script.Client(kOutput);
  ASSERT_EQ(script.Sent().size(), 1U);
  EXPECT_EQ(script.Sent()[0], kOutput);
}

TEST(FunctionCallOutput, MayAnswerACallThatTheClientItselfAdded) {
  Script script;
  script.Start();
  script.Client(
      R"({"type":"conversation.item.create","item":{"type":"function_call","call_id":"c","name":"n"}})");
  script.Client(
      R"({"type":"conversation.item.create","item":{"type":"function_call_output","call_id":"c"}})");
  EXPECT_EQ(script.Sent().size(), 2U);
}

}  // namespace
}  // namespace voicebridge::worker

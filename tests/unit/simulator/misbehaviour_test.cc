// What a session with a fault does otherwise than one without.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/unit/simulator/model_session.h"

namespace voicebridge::simulator {
namespace {

using testing::HasSubstr;

constexpr std::string_view kCompleted = "conversation.item.input_audio_transcription.completed";
constexpr std::string_view kFailed = "conversation.item.input_audio_transcription.failed";

void Configure(ModelSession& session, std::string_view tools = "[]") {
  session.Send(R"({"type":"session.update","session":{"type":"realtime","tools":)" +
               std::string(tools) +
               R"(,"audio":{"input":{"turn_detection":null,
                    "transcription":{"model":"gpt-4o-mini-transcribe"}}}}})");
}

std::string CityTool(std::string_view name) {
  return R"({"type":"function","name":")" + std::string(name) +
         R"(","parameters":{"type":"object","required":["city"],
             "properties":{"city":{"type":"string"}}}})";
}

void Ask(ModelSession& session, std::string_view text = "hello") {
  session.Say(text);
  session.Send(kCreate);
}

void Speak(ModelSession& session) {
  session.Append(Voice(1000));
  session.Send(kCommit);
  session.Send(kCreate);
}

std::size_t IndexOf(const ModelSession& session, std::string_view type) {
  const std::vector<std::string> types = session.Types();
  return static_cast<std::size_t>(std::find(types.begin(), types.end(), type) - types.begin());
}

json::array OutputOf(const ModelSession& session) {
  const json::value* output = FindPath(session.Last("response.done"), "response.output");
  return output != nullptr && output->is_array() ? output->get_array() : json::array();
}

TEST(TranscriptionFault, DelaysWhatTheUserSaid) {
  ModelSession session;
  Configure(session);
  session.Misbehave("transcription_delay:700");
  Speak(session);
  session.Advance(milliseconds(690));
  EXPECT_TRUE(session.All(kCompleted).empty());
  session.Advance(milliseconds(20));
  EXPECT_EQ(session.All(kCompleted).size(), 1U);
}

TEST(TranscriptionFault, FailsWithoutHarmToTheTurn) {
  ModelSession session;
  Configure(session);
  session.Misbehave(R"({"fault":"transcription_fail","times":1})");
  Speak(session);
  session.Advance(seconds(2));
  EXPECT_EQ(session.Text(kFailed, "error.code"), "audio_unintelligible");
  EXPECT_TRUE(session.All(kCompleted).empty());
  EXPECT_EQ(session.Text("response.done", "response.status"), "completed");
  Speak(session);
  session.Advance(seconds(2));
  EXPECT_EQ(session.All(kCompleted).size(), 1U);
}

TEST(TranscriptionFault, ComesAfterTheResponse) {
  ModelSession session;
  Configure(session);
  session.Misbehave("late_transcription");
  Speak(session);
  session.Advance(seconds(3));
  EXPECT_EQ(session.All(kCompleted).size(), 1U);
  EXPECT_GT(IndexOf(session, kCompleted), IndexOf(session, "response.done"));
}

TEST(ResponseFault, FailsBeforeAnyOutput) {
  ModelSession session;
  session.Misbehave(R"({"fault":"response_fail","times":1})");
  Ask(session);
  session.Advance(seconds(2));
  EXPECT_EQ(session.Text("response.done", "response.status"), "failed");
  EXPECT_EQ(session.Text("response.done", "response.status_details.error.code"),
            "rate_limit_exceeded");
  EXPECT_TRUE(OutputOf(session).empty());
  Ask(session);
  session.Advance(seconds(2));
  EXPECT_EQ(session.Text("response.done", "response.status"), "completed");
}

TEST(ResponseFault, LeavesAnIncompleteItem) {
  for (const std::string reason : {"content_filter", "max_output_tokens"}) {
    ModelSession session;
    session.Misbehave("response_fail:" + reason);
    Ask(session);
    session.Advance(seconds(2));
    EXPECT_EQ(session.Text("response.done", "response.status"), "incomplete");
    EXPECT_EQ(session.Text("response.done", "response.status_details.reason"), reason);
    ASSERT_EQ(OutputOf(session).size(), 1U);
    EXPECT_EQ(OutputOf(session)[0].at("status"), "incomplete");
    EXPECT_GT(session.SentAudioBytes(), 0U);
    EXPECT_LT(session.SentAudioBytes(), Voice(3000).size());
  }
}

TEST(ResponseFault, EndsAnOutputOfOneDeltaAsIncomplete) {
  ModelSession session;
  session.speech_ms = 50;
  session.Misbehave("response_fail:content_filter");
  Ask(session);
  session.Advance(seconds(2));
  EXPECT_EQ(session.Text("response.done", "response.status"), "incomplete");
}

TEST(ResponseFault, SpeaksInTwoItems) {
  ModelSession session;
  session.Misbehave("two_audio_items");
  Ask(session);
  session.Advance(seconds(4));
  ASSERT_EQ(OutputOf(session).size(), 2U);
  EXPECT_NE(OutputOf(session)[0].at("id"), OutputOf(session)[1].at("id"));
  EXPECT_EQ(session.SentAudioBytes(), 2 * Voice(3000).size());
  EXPECT_EQ(session.Value("response.output_item.done", "output_index"), 1);
}

TEST(ToolFault, CallsAllToolsAtOnce) {
  ModelSession session;
  Configure(session, "[" + CityTool("weather") + "," + CityTool("time") + "]");
  session.Misbehave("parallel_tool_calls");
  Ask(session);
  session.Advance(seconds(2));
  ASSERT_EQ(OutputOf(session).size(), 2U);
  EXPECT_EQ(OutputOf(session)[0].at("name"), "weather");
  EXPECT_EQ(OutputOf(session)[1].at("name"), "time");
  EXPECT_NE(OutputOf(session)[0].at("call_id"), OutputOf(session)[1].at("call_id"));
}

TEST(ToolFault, CallsTheOnlyToolTwice) {
  ModelSession session;
  Configure(session, "[" + CityTool("weather") + "]");
  session.Misbehave("parallel_tool_calls");
  Ask(session);
  session.Advance(seconds(2));
  EXPECT_EQ(OutputOf(session).size(), 2U);
}

TEST(ToolFault, SendsArgumentsThatAreNotJson) {
  ModelSession session;
  Configure(session, "[" + CityTool("weather") + "]");
  session.Misbehave("invalid_arguments");
  Ask(session);
  session.Advance(seconds(2));
  ASSERT_EQ(OutputOf(session).size(), 1U);
  EXPECT_FALSE(ParseObject(View(OutputOf(session)[0].at("arguments").as_string())).ok());
}

TEST(ToolFault, WaitsForASessionWithTools) {
  ModelSession session;
  session.Misbehave(R"({"fault":"invalid_arguments","times":1})");
  Ask(session);
  session.Advance(seconds(2));
  EXPECT_EQ(OutputOf(session)[0].at("type"), "message");
  Configure(session, "[" + CityTool("weather") + "]");
  Ask(session);
  session.Advance(seconds(2));
  EXPECT_EQ(OutputOf(session)[0].at("type"), "function_call");
}

TEST(CancelFault, LetsDeltasComeLate) {
  ModelSession session;
  session.Misbehave("late_deltas:2");
  Ask(session);
  session.Advance(milliseconds(200));
  session.events.clear();
  session.Send(R"({"type":"response.cancel"})");
  EXPECT_EQ(session.All("response.output_audio.delta").size(), 2U);
  EXPECT_EQ(session.Text("response.done", "response.status"), "cancelled");
  EXPECT_GT(IndexOf(session, "response.done"), IndexOf(session, "response.output_audio.delta"));
}

TEST(CancelFault, MeetsACompletedResponse) {
  ModelSession session;
  session.Misbehave("cancel_crosses_done");
  Ask(session);
  session.Advance(milliseconds(200));
  session.Send(R"({"type":"response.cancel","event_id":"c1"})");
  EXPECT_EQ(session.Text("response.done", "response.status"), "completed");
  EXPECT_EQ(session.SentAudioBytes(), Voice(3000).size());
  EXPECT_EQ(session.ErrorCode(), "response_cancel_not_active");
  EXPECT_EQ(session.Text("error", "error.event_id"), "c1");
  EXPECT_GT(IndexOf(session, "error"), IndexOf(session, "response.done"));
  session.Advance(seconds(1));
  Ask(session);
  session.Advance(seconds(2));
  EXPECT_EQ(session.All("response.done").size(), 2U);
}

TEST(EventFault, LeavesOutWhichEventAnErrorIsAbout) {
  ModelSession session;
  session.Misbehave(R"({"fault":"error_without_event_id","times":1})");
  constexpr std::string_view kDelete =
      R"({"type":"conversation.item.delete","event_id":"d1","item_id":"none"})";
  session.Send(kDelete);
  EXPECT_TRUE(session.Value("error", "error.event_id").is_null());
  session.Send(kDelete);
  EXPECT_EQ(session.Text("error", "error.event_id"), "d1");
}

TEST(EventFault, MixesInWhatNobodyKnows) {
  ModelSession session;
  session.Misbehave("unknown_events");
  Ask(session);
  session.Advance(seconds(2));
  EXPECT_GT(session.All("response.novelty.delta").size(), 5U);
  EXPECT_TRUE(session.Value("response.created", "novelty.values").is_array());
  EXPECT_EQ(session.Text("response.output_audio.delta", "obfuscation"), "aGk");
  std::set<std::string> ids;
  for (const SentEvent& sent : session.events) {
    ids.insert(std::string(StringOr(sent.event, "event_id")));
  }
  EXPECT_EQ(ids.size(), session.events.size());
  EXPECT_EQ(session.Text("response.done", "response.status"), "completed");
}

TEST(EventFault, MakesAFrameHuge) {
  ModelSession session;
  session.Misbehave("huge_frame:2");
  Ask(session);
  session.Advance(seconds(2));
  EXPECT_GT(json::serialize(session.Last("response.done")).size(), 2U << 20U);
}

TEST(EventFault, SaysWhichFaultsAreInForce) {
  SessionRecord record;
  record.faults = json::array{"mute:3"};
  EXPECT_EQ(record.ToJson().at("faults"), json::array{"mute:3"});
}

}  // namespace
}  // namespace voicebridge::simulator

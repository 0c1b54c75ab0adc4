// Responses: order of events, pacing, cancelling, out-of-band ones, function calls.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/unit/simulator/model_session.h"

namespace voicebridge::simulator {
namespace {

using testing::ElementsAre;

TEST(Response, FollowsTheOrderOfAPushToTalkTurn) {
  ModelSession session;
  session.UsePushToTalk();
  session.Append(Voice(1500));
  session.events.clear();
  session.Send(R"({"type":"input_audio_buffer.commit"})");
  session.Send(kCreate);
  session.Advance(seconds(5));
  EXPECT_THAT(
      session.Milestones(),
      ElementsAre("input_audio_buffer.committed", "conversation.item.added",
                  "conversation.item.done", "response.created", "response.output_item.added",
                  "conversation.item.added", "response.content_part.added",
                  "response.output_audio.done", "response.output_audio_transcript.done",
                  "response.content_part.done", "conversation.item.done",
                  "response.output_item.done", "response.done", "rate_limits.updated"));
  EXPECT_EQ(session.Text("response.done", "response.status"), "completed");
  EXPECT_EQ(session.record.refused(), 0U);
}

TEST(Response, SaysHowLongTheUserSpoke) {
  ModelSession session;
  session.UsePushToTalk();
  session.Append(Voice(1500));
  session.Send(R"({"type":"input_audio_buffer.commit"})");
  session.Send(kCreate);
  session.Advance(seconds(5));
  const std::string text = session.Text("response.output_audio_transcript.done", "transcript");
  EXPECT_TRUE(text.starts_with("I heard you speak for 1.50 seconds. ")) << text;
  ASSERT_EQ(session.spoken.size(), 1U);
  EXPECT_EQ(session.spoken[0].text, text);
  std::string deltas;
  for (const SentEvent* sent : session.All("response.output_audio_transcript.delta")) {
    deltas += StringOr(sent->event, "delta");
  }
  EXPECT_EQ(deltas, text);
}

TEST(Response, SendsAudioFasterThanRealTimeInIrregularPieces) {
  ModelSession session;
  session.Say("hello");
  session.Send(kCreate);
  session.Advance(milliseconds(300));
  const std::size_t early = session.SentAudioBytes();
  EXPECT_GT(early, 0U);
  EXPECT_LT(early, Voice(3000).size());
  session.Advance(milliseconds(300));
  EXPECT_EQ(session.SentAudioBytes(), Voice(3000).size());
  const auto deltas = session.All("response.output_audio.delta");
  std::set<std::size_t> sizes;
  for (std::size_t index = 0; index < deltas.size(); ++index) {
    const std::size_t bytes = DecodeBase64(StringOr(deltas[index]->event, "delta"))->size();
    sizes.insert(bytes);
    if (index == 0) {
      EXPECT_EQ(bytes, 4800U);
    } else if (index + 1 < deltas.size()) {
      EXPECT_GE(bytes, 9600U);
      EXPECT_LE(bytes, 24000U);
    }
  }
  EXPECT_GT(sizes.size(), 4U);
}

TEST(Response, RecordsADigestOfExactlyWhatWasSent) {
  ModelSession session;
  session.Say("hello");
  session.Send(kCreate);
  session.Advance(seconds(2));
  const json::object journal = session.record.ToJson();
  const json::value& item = journal.at("responses").at(0).at("items").at(0);
  EXPECT_EQ(item.at("audio_bytes").to_number<std::size_t>(), Voice(3000).size());
  EXPECT_EQ(item.at("audio_sha256"), json::value(Digest::HexOf(Voice(3000))));
}

TEST(Response, RefusesASecondOneWhileTheFirstRuns) {
  ModelSession session;
  session.Say("hello");
  session.Send(kCreate);
  session.Send(R"({"type":"response.create","event_id":"second"})");
  EXPECT_EQ(session.ErrorCode(), "conversation_already_has_active_response");
  EXPECT_EQ(session.Text("error", "error.event_id"), "second");
  EXPECT_EQ(session.All("response.created").size(), 1U);
  session.Advance(seconds(2));
  session.Send(kCreate);
  EXPECT_EQ(session.All("response.created").size(), 2U);
}

TEST(Response, CancelEndsTheAudioAndLeavesTheItemIncomplete) {
  ModelSession session;
  session.Say("hello");
  session.Send(kCreate);
  session.Advance(milliseconds(200));
  const std::size_t sent = session.SentAudioBytes();
  session.events.clear();
  session.Send(R"({"type":"response.cancel"})");
  EXPECT_THAT(session.Types(),
              ElementsAre("response.output_audio.done", "response.output_audio_transcript.done",
                          "response.content_part.done", "conversation.item.done",
                          "response.output_item.done", "response.done"));
  EXPECT_EQ(session.Text("response.done", "response.status"), "cancelled");
  EXPECT_EQ(session.Text("response.done", "response.status_details.reason"), "client_cancelled");
  EXPECT_EQ(session.Text("response.output_item.done", "item.status"), "incomplete");
  session.Advance(seconds(5));
  EXPECT_EQ(session.SentAudioBytes(), 0U);
  const json::object journal = session.record.ToJson();
  const json::value& item = journal.at("responses").at(0).at("items").at(0);
  EXPECT_EQ(item.at("audio_bytes").to_number<std::size_t>(), sent);
  session.Send(R"({"type":"response.cancel"})");
  EXPECT_EQ(session.ErrorCode(), "response_cancel_not_active");
}

TEST(Response, CancelBeforeTheFirstOutputBringsNoItem) {
  ModelSession session;
  session.Say("hello");
  session.Send(kCreate);
  session.events.clear();
  session.Send(R"({"type":"response.cancel"})");
  EXPECT_THAT(session.Types(), ElementsAre("response.done"));
  EXPECT_EQ(session.Value("response.done", "response.output"), json::value(json::array()));
}

TEST(Response, FailsWhenThereIsNoSpeech) {
  ModelSession session;
  session.speech_fails = true;
  session.Say("hello");
  session.Send(kCreate);
  session.Advance(seconds(1));
  EXPECT_EQ(session.Text("response.done", "response.status"), "failed");
  EXPECT_EQ(session.Text("response.done", "response.status_details.error.type"), "server_error");
}

TEST(Response, WritesTextWhenAskedFor) {
  ModelSession session;
  session.Say("good morning to all of you");
  session.events.clear();
  session.Send(R"({"type":"response.create","response":{"output_modalities":["text"]}})");
  session.Advance(seconds(1));
  EXPECT_THAT(
      session.Milestones(),
      ElementsAre("response.created", "response.output_item.added", "conversation.item.added",
                  "response.content_part.added", "response.output_text.done",
                  "response.content_part.done", "conversation.item.done",
                  "response.output_item.done", "response.done", "rate_limits.updated"));
  EXPECT_EQ(session.Text("response.output_text.done", "text"),
            "You said: good morning to all of you");
  EXPECT_TRUE(session.spoken.empty());
}

TEST(Response, SendsRateLimits43MillisecondsAfterTheEnd) {
  ModelSession session;
  session.Say("hello");
  session.Send(kCreate);
  session.Advance(seconds(2));
  const auto done = session.All("response.done");
  const auto limits = session.All("rate_limits.updated");
  ASSERT_EQ(limits.size(), 1U);
  EXPECT_EQ(limits[0]->at - done[0]->at, milliseconds(43));
}

TEST(Response, LocksTheVoiceOnceAudioWasSent) {
  ModelSession session;
  const std::string_view marin =
      R"({"type":"session.update","session":{"type":"realtime","audio":{"output":{"voice":"marin"}}}})";
  const std::string_view cedar =
      R"({"type":"session.update","session":{"type":"realtime","audio":{"output":{"voice":"cedar"}}}})";
  session.Send(marin);
  session.Say("hello");
  session.Send(kCreate);
  session.Advance(seconds(2));
  session.Send(marin);
  EXPECT_EQ(session.ErrorCode(), "");
  session.Send(cedar);
  EXPECT_EQ(session.ErrorCode(), "cannot_update_voice");
  session.Send(R"({"type":"response.create","response":{"audio":{"output":{"voice":"cedar"}}}})");
  EXPECT_EQ(session.Text("error", "error.param"), "response.audio.output.voice");
  EXPECT_EQ(session.record.refused(), 2U);
}

TEST(Response, OutOfBandRunsBesideTheConversation) {
  ModelSession session;
  session.Say("hello");
  session.Send(kCreate);
  session.events.clear();
  session.Send(R"({"type":"response.create","response":{"conversation":"none",
    "output_modalities":["text"],"metadata":{"topic":"x"},"input":[{"type":"message",
    "role":"user","content":[{"type":"input_text","text":"aside"}]}]}})");
  EXPECT_EQ(session.ErrorCode(), "");
  EXPECT_EQ(session.Text("response.created", "response.metadata.topic"), "x");
  EXPECT_TRUE(session.Value("response.created", "response.conversation_id").is_null());
  const std::string aside = session.Text("response.created", "response.id");
  session.Advance(seconds(2));
  EXPECT_EQ(session.All("response.done").size(), 2U);
  EXPECT_EQ(session.All("conversation.item.added").size(), 1U);  // Only the conversation's own.
  EXPECT_EQ(session.Text("response.output_text.done", "text"), "You said: aside");
  EXPECT_EQ(session.Text("response.output_text.done", "response_id"), aside);
}

TEST(Response, CancelWithoutAnIdMeansTheConversations) {
  ModelSession session;
  session.Send(R"({"type":"response.create","response":{"conversation":"none","input":[]}})");
  const std::string aside = session.Text("response.created", "response.id");
  session.Send(R"({"type":"response.cancel"})");
  EXPECT_EQ(session.ErrorCode(), "response_cancel_not_active");
  session.Send(R"({"type":"response.cancel","response_id":")" + aside + "\"}");
  EXPECT_EQ(session.Text("response.done", "response.id"), aside);
}

TEST(Response, SaysWhatTheInstructionsDictate) {
  ModelSession session;
  session.Say("hello");
  session.Send(R"({"type":"response.create","response":{
    "instructions":"Now say exactly: \"one two three\" please"}})");
  session.Advance(seconds(2));
  EXPECT_EQ(session.Text("response.output_audio_transcript.done", "transcript"), "one two three");
}

TEST(Response, FollowsTheScriptInOrder) {
  ModelSession session;
  ASSERT_TRUE(session.script.Add(*ParseObject(R"({"replies":["first","second"]})")).ok());
  for (const char* expected : {"first", "second", "You said: hello"}) {
    session.Say("hello");
    session.Send(kCreate);
    session.Advance(seconds(2));
    EXPECT_EQ(session.Text("response.output_audio_transcript.done", "transcript"), expected);
  }
}

TEST(Response, EndlessFloodKeepsTheConversationBusy) {
  SessionRecord record;
  ReplyScript script;
  ModelOptions options;
  options.model = "gpt-realtime-2.1";
  RealtimeModel model(options, record, script, TimePoint(hours(1)));
  EXPECT_EQ(model.BeginFlood().size(), 4U);
  const Effects more = model.FloodMore();
  ASSERT_EQ(more.size(), 1U);
  EXPECT_EQ(std::get<SendEvent>(more[0]).type, "response.output_audio.delta");
  EXPECT_TRUE(ParseObject(std::get<SendEvent>(more[0]).text).ok());
  model.HandleText(kCreate, TimePoint(hours(1)));
  EXPECT_EQ(record.refused(), 1U);
}

}  // namespace
}  // namespace voicebridge::simulator

// Audio of the user: the buffer, commits, voice activity, transcription.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/simulator/model_session.h"

namespace voicebridge::simulator {
namespace {

using testing::ElementsAre;

std::string Detection(std::string_view fields) {
  return R"({"type":"session.update","session":{"type":"realtime","audio":{"input":{
    "turn_detection":{"type":"server_vad",)" +
         std::string(fields) + "}}}}}";
}

TEST(InputAudio, NeedsATenthOfASecondToCommit) {
  ModelSession session;
  session.UsePushToTalk();
  session.Append(Voice(99));
  session.Send(kCommit);
  EXPECT_EQ(session.ErrorCode(), "input_audio_buffer_commit_empty");
  EXPECT_NE(session.Text("error", "error.message").find("only has 99.00ms"), std::string::npos);
  session.Append(Voice(1));
  session.Send(kCommit);
  EXPECT_EQ(session.All("input_audio_buffer.committed").size(), 1U);
  session.Send(kCommit);
  EXPECT_EQ(session.record.refused(), 2U);
}

TEST(InputAudio, RefusesWhatIsNoPcm) {
  ModelSession session;
  session.Send(R"({"type":"input_audio_buffer.append","audio":"not base64!"})");
  EXPECT_EQ(session.ErrorCode(), "invalid_value");
  EXPECT_EQ(session.Text("error", "error.param"), "audio");
  session.Send(R"({"type":"input_audio_buffer.append","audio":"AAAA"})");  // Three bytes.
  EXPECT_EQ(session.record.refused(), 2U);
}

TEST(InputAudio, IsRecordedWithDigests) {
  ModelSession session;
  session.UsePushToTalk();
  session.Append(Voice(300));
  session.Append(Pcm(200));
  session.Send(kCommit);
  const json::object journal = session.record.ToJson();
  const std::string digest = Digest::HexOf(Voice(300) + Pcm(200));
  EXPECT_EQ(journal.at("audio_appended").at("sha256"), json::value(digest));
  EXPECT_EQ(journal.at("user_items").at(0).at("sha256"), json::value(digest));
  EXPECT_EQ(journal.at("user_items").at(0).at("by"), "client");
}

TEST(InputAudio, IsForgottenByClear) {
  ModelSession session;
  session.UsePushToTalk();
  session.Append(Voice(300));
  session.Send(R"({"type":"input_audio_buffer.clear"})");
  EXPECT_EQ(session.All("input_audio_buffer.cleared").size(), 1U);
  session.Send(kCommit);
  EXPECT_EQ(session.ErrorCode(), "input_audio_buffer_commit_empty");
}

TEST(Transcription, ComesLaterAndOnlyWhenConfigured) {
  ModelSession session;
  session.UsePushToTalk();
  session.Append(Voice(500));
  session.Send(kCommit);
  session.Advance(seconds(1));
  EXPECT_TRUE(session.All("conversation.item.input_audio_transcription.completed").empty());
  session.Send(R"({"type":"session.update","session":{"type":"realtime","audio":{"input":{
    "transcription":{"model":"gpt-4o-mini-transcribe"}}}}})");
  session.Append(Voice(500));
  session.Send(kCommit);
  session.Advance(milliseconds(49));
  EXPECT_TRUE(session.All("conversation.item.input_audio_transcription.completed").empty());
  session.Advance(milliseconds(1));
  EXPECT_EQ(session.Text("conversation.item.input_audio_transcription.completed", "transcript"),
            "I spoke for 0.50 seconds.");
  const std::string id = session.Text("input_audio_buffer.committed", "item_id");
  EXPECT_EQ(session.Text("conversation.item.input_audio_transcription.completed", "item_id"), id);
  session.Send(R"({"type":"conversation.item.retrieve","item_id":")" + id + "\"}");
  const json::value& part =
      FindPath(session.Last("conversation.item.retrieved"), "item.content")->at(0);
  EXPECT_EQ(part.at("transcript"), "I spoke for 0.50 seconds.");
}

TEST(Transcription, FollowsTheScript) {
  ModelSession session;
  ASSERT_TRUE(session.script.Add(*ParseObject(R"({"transcripts":["my name is Ada"]})")).ok());
  session.Send(R"({"type":"session.update","session":{"type":"realtime","audio":{"input":{
    "turn_detection":null,"transcription":{"model":"whisper-1"}}}}})");
  session.Append(Voice(500));
  session.Send(kCommit);
  session.Advance(milliseconds(50));
  EXPECT_EQ(session.Text("conversation.item.input_audio_transcription.completed", "transcript"),
            "my name is Ada");
  EXPECT_EQ(session.All("conversation.item.input_audio_transcription.delta").size(), 1U);
}

TEST(ServerVad, TakesATurnByItself) {
  ModelSession session;
  session.events.clear();
  session.Append(Pcm(1000) + Voice(800) + Pcm(600));
  EXPECT_THAT(session.Types(),
              ElementsAre("input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped",
                          "input_audio_buffer.committed", "conversation.item.added",
                          "conversation.item.done", "response.created"));
  EXPECT_EQ(session.Last("input_audio_buffer.speech_started").at("audio_start_ms"), 700);
  EXPECT_EQ(session.Last("input_audio_buffer.speech_stopped").at("audio_end_ms"), 2000);
  EXPECT_EQ(session.Text("input_audio_buffer.speech_started", "item_id"),
            session.Text("input_audio_buffer.committed", "item_id"));
  const json::object journal = session.record.ToJson();
  EXPECT_EQ(journal.at("user_items").at(0).at("sha256"),
            json::value(Digest::HexOf(Pcm(300) + Voice(800) + Pcm(200))));
  EXPECT_EQ(journal.at("user_items").at(0).at("by"), "vad");
}

TEST(ServerVad, FindsTheSameTurnsInAnyPieces) {
  ModelSession whole;
  ModelSession pieces;
  const std::string audio = Pcm(400) + Voice(600) + Pcm(700) + Voice(300) + Pcm(900);
  for (ModelSession* session : {&whole, &pieces}) {
    session->Send(Detection(R"("create_response":false)"));
  }
  whole.Append(audio);
  for (std::size_t at = 0; at < audio.size(); at += 1234) {
    pieces.Append(std::string_view(audio).substr(at, 1234));
  }
  ASSERT_EQ(whole.All("input_audio_buffer.committed").size(), 2U);
  EXPECT_EQ(whole.Types(), pieces.Types());
  EXPECT_EQ(whole.record.ToJson().at("audio_appended"),
            pieces.record.ToJson().at("audio_appended"));
  EXPECT_EQ(whole.Last("input_audio_buffer.speech_started").at("audio_start_ms"),
            pieces.Last("input_audio_buffer.speech_started").at("audio_start_ms"));
  EXPECT_EQ(whole.Last("input_audio_buffer.speech_stopped").at("audio_end_ms"),
            pieces.Last("input_audio_buffer.speech_stopped").at("audio_end_ms"));
}

TEST(ServerVad, InterruptsTheRunningResponseBeforeTheUserHasFinished) {
  ModelSession session;
  session.Say("hello");
  session.Send(R"({"type":"response.create"})");
  session.Advance(milliseconds(150));
  session.events.clear();
  session.Append(Voice(400));
  EXPECT_THAT(session.Milestones(),
              ElementsAre("input_audio_buffer.speech_started", "response.output_audio.done",
                          "response.output_audio_transcript.done", "response.content_part.done",
                          "conversation.item.done", "response.output_item.done", "response.done"));
  EXPECT_EQ(session.Text("response.done", "response.status_details.reason"), "turn_detected");
  session.Append(Pcm(300));
  EXPECT_EQ(session.Milestones().back(), "response.created");
}

TEST(ServerVad, LeavesTheResponseAloneWhenToldSo) {
  ModelSession session;
  session.Send(Detection(R"("interrupt_response":false,"create_response":false)"));
  session.Say("hello");
  session.Send(R"({"type":"response.create"})");
  session.Advance(milliseconds(150));
  session.Append(Voice(400) + Pcm(300));
  EXPECT_EQ(session.All("input_audio_buffer.committed").size(), 1U);
  EXPECT_TRUE(session.All("response.done").empty());
  EXPECT_EQ(session.All("response.created").size(), 1U);
}

TEST(ServerVad, WaitsForTheConfiguredSilence) {
  ModelSession session;
  session.Send(Detection(R"("silence_duration_ms":800)"));
  session.Append(Voice(400) + Pcm(780));
  EXPECT_TRUE(session.All("input_audio_buffer.speech_stopped").empty());
  session.Append(Pcm(20));
  EXPECT_EQ(session.All("input_audio_buffer.speech_stopped").size(), 1U);
}

TEST(ServerVad, IgnoresClicksAndNoise) {
  ModelSession session;
  session.Append(Pcm(200) + Voice(20) + Pcm(500) + Pcm(2000, 0.005));
  EXPECT_TRUE(session.All("input_audio_buffer.speech_started").empty());
}

TEST(ServerVad, GivesWayToACommitOfTheClient) {
  ModelSession session;
  session.Append(Voice(400));
  const std::string id = session.Text("input_audio_buffer.speech_started", "item_id");
  session.Send(kCommit);
  EXPECT_EQ(session.Text("input_audio_buffer.committed", "item_id"), id);
  session.Append(Pcm(500));
  EXPECT_TRUE(session.All("input_audio_buffer.speech_stopped").empty());
}

}  // namespace
}  // namespace voicebridge::simulator

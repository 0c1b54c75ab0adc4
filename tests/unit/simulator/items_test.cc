// Items: bookkeeping, truncation, function calls.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/simulator/model_session.h"

namespace voicebridge::simulator {
namespace {

using testing::ElementsAre;

std::string CreateText(std::string_view id, std::string_view more = "") {
  return R"({"type":"conversation.item.create",)" + std::string(more) + R"("item":{"id":")" +
         std::string(id) +
         R"(","type":"message","role":"user","content":[{"type":"input_text","text":"hi"}]}})";
}

std::string PreviousOfLast(const ModelSession& session) {
  return session.Text("conversation.item.added", "previous_item_id");
}

TEST(Items, AreChainedByPreviousItemId) {
  ModelSession session;
  session.Send(CreateText("a"));
  EXPECT_TRUE(session.Last("conversation.item.added").at("previous_item_id").is_null());
  session.Send(CreateText("b", R"("previous_item_id":"",)"));
  EXPECT_EQ(PreviousOfLast(session), "a");
  session.Send(CreateText("c", R"("previous_item_id":"a",)"));
  EXPECT_EQ(PreviousOfLast(session), "a");
  session.Send(CreateText("d"));
  EXPECT_EQ(PreviousOfLast(session), "b");
  session.Send(CreateText("e", R"("previous_item_id":"root",)"));
  EXPECT_TRUE(session.Last("conversation.item.added").at("previous_item_id").is_null());
  EXPECT_EQ(session.Text("conversation.item.done", "item.status"), "completed");
  session.Send(CreateText("f", R"("event_id":"e6","previous_item_id":"nobody",)"));
  EXPECT_EQ(session.ErrorCode(), "item_not_found");
  EXPECT_EQ(session.Text("error", "error.event_id"), "e6");
  EXPECT_EQ(session.record.refused(), 1U);
}

TEST(Items, CanBeRetrievedWithTheirAudioAndDeleted) {
  ModelSession session;
  session.UsePushToTalk();
  session.Append(Voice(200));
  session.Send(R"({"type":"input_audio_buffer.commit"})");
  const std::string id = session.Text("input_audio_buffer.committed", "item_id");
  session.Send(R"({"type":"conversation.item.retrieve","item_id":")" + id + "\"}");
  const json::value& part =
      FindPath(session.Last("conversation.item.retrieved"), "item.content")->at(0);
  EXPECT_EQ(DecodeBase64(View(part.at("audio").as_string())), Voice(200));
  session.Send(R"({"type":"conversation.item.delete","item_id":")" + id + "\"}");
  EXPECT_EQ(session.Text("conversation.item.deleted", "item_id"), id);
  session.Send(R"({"type":"conversation.item.retrieve","item_id":")" + id + "\"}");
  EXPECT_EQ(session.ErrorCode(), "item_retrieve_invalid_item_id");
  session.Send(R"({"type":"conversation.item.delete","item_id":")" + id + "\"}");
  EXPECT_EQ(session.ErrorCode(), "item_delete_invalid_item_id");
}

TEST(Items, CountReusedIdsButTakeThemAsTheServiceDoes) {
  ModelSession session;
  session.Send(CreateText("a"));
  session.Send(CreateText("a"));
  EXPECT_EQ(session.ErrorCode(), "");
  EXPECT_EQ(PreviousOfLast(session), "a");
  EXPECT_EQ(session.record.refused(), 1U);
}

TEST(Items, OfTheAssistantTakeNoAudio) {
  ModelSession session;
  session.Send(R"({"type":"conversation.item.create","item":{"type":"message","role":"assistant",
    "content":[{"type":"output_audio","audio":"AAAA"}]}})");
  EXPECT_EQ(session.ErrorCode(), "missing_required_parameter");
  EXPECT_EQ(session.Text("error", "error.param"), "item.content[0].text");
}

TEST(Items, TruncationCutsAudioRemovesTheTranscriptAndIsRecorded) {
  ModelSession session;
  session.Say("hello");
  session.Send(R"({"type":"response.create"})");
  session.Advance(seconds(2));
  const std::string id = session.Text("response.output_item.added", "item.id");
  const std::string prefix =
      R"({"type":"conversation.item.truncate","content_index":0,"item_id":")" + id +
      R"(","audio_end_ms":)";
  session.Send(prefix + "3001}");
  EXPECT_EQ(session.ErrorCode(), "invalid_value");
  EXPECT_EQ(session.Text("error", "error.message"),
            "Audio content of 3000ms is already shorter than 3001ms");
  session.Send(prefix + "1234}");
  EXPECT_EQ(session.Last("conversation.item.truncated").at("audio_end_ms"), 1234);
  session.Send(R"({"type":"conversation.item.retrieve","item_id":")" + id + "\"}");
  const json::value& part =
      FindPath(session.Last("conversation.item.retrieved"), "item.content")->at(0);
  EXPECT_FALSE(part.as_object().contains("transcript"));
  EXPECT_EQ(DecodeBase64(View(part.at("audio").as_string())), Voice(3000).substr(0, 1234 * 48));
  const json::object journal = session.record.ToJson();
  const json::value& item = journal.at("responses").at(0).at("items").at(0);
  EXPECT_EQ(item.at("truncated_at_ms").to_number<int>(), 1234);
  EXPECT_EQ(item.at("audio_bytes").to_number<std::size_t>(), Voice(3000).size());
}

TEST(Items, TruncationRefusesWhatIsNoAssistantAudio) {
  ModelSession session;
  session.Send(CreateText("a"));
  session.Send(
      R"({"type":"conversation.item.truncate","item_id":"a","content_index":0,"audio_end_ms":0})");
  EXPECT_EQ(session.ErrorCode(), "unsupported_content_type");
  session.Send(
      R"({"type":"conversation.item.truncate","item_id":"b","content_index":0,"audio_end_ms":0})");
  EXPECT_EQ(session.ErrorCode(), "item_truncate_invalid_item_id");
  session.Send(
      R"({"type":"conversation.item.truncate","item_id":"a","content_index":0,"audio_end_ms":1.5})");
  EXPECT_EQ(session.ErrorCode(), "invalid_type");
}

TEST(Items, TruncationAfterCancelIsJudgedByTheAudioSent) {
  ModelSession session;
  session.Say("hello");
  session.Send(R"({"type":"response.create"})");
  session.Advance(milliseconds(100));
  session.Send(R"({"type":"response.cancel"})");
  const std::string id = session.Text("response.output_item.added", "item.id");
  const std::size_t sent_ms = session.SentAudioBytes() / 48;
  ASSERT_LT(sent_ms, 3000U);
  const std::string prefix =
      R"({"type":"conversation.item.truncate","content_index":0,"item_id":")" + id +
      R"(","audio_end_ms":)";
  session.Send(prefix + std::to_string(sent_ms + 1) + "}");
  EXPECT_EQ(session.ErrorCode(), "invalid_value");
  session.Send(prefix + std::to_string(sent_ms) + "}");
  EXPECT_EQ(session.All("conversation.item.truncated").size(), 1U);
}

constexpr std::string_view kTools = R"({"type":"session.update","session":{"type":"realtime",
  "tools":[{"type":"function","name":"get_weather","parameters":{"type":"object","properties":{
      "city":{"type":"string"},"days":{"type":"integer"},"unit":{"enum":["C","F"]},
      "extra":{"type":"string"}},"required":["city","days","unit"]}},
    {"type":"function","name":"get_time"}]}})";

TEST(FunctionCalls, FollowAMentionOfTheTool) {
  ModelSession session;
  session.Send(kTools);
  session.Say("Please get weather in Paris!");
  session.events.clear();
  session.Send(R"({"type":"response.create"})");
  session.Advance(seconds(1));
  EXPECT_THAT(
      session.Milestones(),
      ElementsAre("response.created", "response.output_item.added", "conversation.item.added",
                  "response.function_call_arguments.done", "conversation.item.done",
                  "response.output_item.done", "response.done", "rate_limits.updated"));
  EXPECT_EQ(session.Text("response.function_call_arguments.done", "name"), "get_weather");
  EXPECT_EQ(session.Text("response.function_call_arguments.done", "arguments"),
            R"({"city":"Paris","days":1,"unit":"C"})");
  const std::string call_id = session.Text("response.function_call_arguments.done", "call_id");
  session.Send(R"({"type":"conversation.item.create","item":{"type":"function_call_output",
    "output":"sunny","call_id":")" +
               call_id + "\"}}");
  session.Send(R"({"type":"response.create"})");
  session.Advance(seconds(2));
  EXPECT_EQ(session.Text("response.output_audio_transcript.done", "transcript"),
            "The tool answered: sunny");
  EXPECT_EQ(session.record.refused(), 0U);
}

TEST(FunctionCalls, AreMadeInParallelForSeveralMentions) {
  ModelSession session;
  session.Send(kTools);
  session.Say("get_time and get_weather");
  session.Send(R"({"type":"response.create"})");
  session.Advance(seconds(1));
  const auto calls = session.All("response.function_call_arguments.done");
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_EQ(StringOr(calls[0]->event, "name"), "get_time");
  EXPECT_EQ(StringOr(calls[1]->event, "name"), "get_weather");
  EXPECT_EQ(calls[1]->event.at("output_index"), 1);
}

TEST(FunctionCalls, ObeyToolChoice) {
  ModelSession session;
  session.Send(kTools);
  session.Say("get_time");
  session.Send(R"({"type":"response.create","response":{"tool_choice":"none"}})");
  session.Advance(seconds(2));
  EXPECT_TRUE(session.All("response.function_call_arguments.done").empty());
  session.Send(R"({"type":"response.create","response":{
    "tool_choice":{"type":"function","name":"get_weather"}}})");
  session.Advance(seconds(2));
  EXPECT_EQ(session.Text("response.function_call_arguments.done", "name"), "get_weather");
  session.Say("nothing in particular");
  session.Send(R"({"type":"response.create","response":{"tool_choice":"required"}})");
  session.Advance(seconds(2));
  EXPECT_EQ(session.All("response.function_call_arguments.done").size(), 2U);
}

TEST(FunctionCalls, RefuseAnOutputForAnUnknownCall) {
  ModelSession session;
  session.Send(R"({"type":"conversation.item.create","item":{"type":"function_call_output",
    "output":"x","call_id":"call_nobody"}})");
  EXPECT_EQ(session.ErrorCode(), "invalid_tool_call_id");
}

}  // namespace
}  // namespace voicebridge::simulator

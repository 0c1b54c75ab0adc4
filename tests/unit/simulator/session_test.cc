// The session object: defaults, merging, refusals of whole updates.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/unit/simulator/model_session.h"

namespace voicebridge::simulator {
namespace {

std::string Update(std::string_view fields) {
  return R"({"type":"session.update","event_id":"e1","session":{"type":"realtime",)" +
         std::string(fields) + "}}";
}

TEST(Session, BeginsWithServerVadAndCompleteDefaults) {
  const ModelSession session;
  ASSERT_EQ(session.Types(), std::vector<std::string>{"session.created"});
  const json::object& object = *FindObject(session.Last("session.created"), "session");
  const json::value expected = json::value(*ParseObject(R"({
    "type":"realtime","object":"realtime.session","id":"sess_test","model":"gpt-realtime-2.1",
    "output_modalities":["audio"],"instructions":"","tools":[],"tool_choice":"auto",
    "max_output_tokens":"inf","tracing":null,"truncation":"auto","prompt":null,
    "expires_at":1003600,"include":null,"audio":{
     "input":{"format":{"type":"audio/pcm","rate":24000},"transcription":null,
      "noise_reduction":null,"turn_detection":{"type":"server_vad","threshold":0.5,
       "prefix_padding_ms":300,"silence_duration_ms":200,"idle_timeout_ms":null,
       "create_response":true,"interrupt_response":true}},
     "output":{"format":{"type":"audio/pcm","rate":24000},"voice":"alloy","speed":1.0}}})"));
  EXPECT_EQ(json::value(object), expected) << json::serialize(object);
}

TEST(Session, ChangesOnlyWhatAnUpdateNames) {
  ModelSession session;
  session.Send(Update(R"("instructions":"be brief","audio":{"output":{"voice":"marin"}})"));
  session.Send(
      Update(R"("audio":{"input":{"turn_detection":{"type":"server_vad","threshold":0.7}}})"));
  EXPECT_EQ(session.Text("session.updated", "session.instructions"), "be brief");
  EXPECT_EQ(session.Text("session.updated", "session.audio.output.voice"), "marin");
  EXPECT_EQ(session.Value("session.updated", "session.audio.input.turn_detection.threshold"), 0.7);
  EXPECT_EQ(
      session.Value("session.updated", "session.audio.input.turn_detection.silence_duration_ms"),
      200);
  EXPECT_EQ(session.record.refused(), 0U);
}

TEST(Session, ReplacesTurnDetectionOfAnotherType) {
  ModelSession session;
  session.Send(Update(R"("audio":{"input":{"turn_detection":{"type":"semantic_vad"}}})"));
  const json::value detection =
      session.Value("session.updated", "session.audio.input.turn_detection");
  ASSERT_TRUE(detection.is_object());
  EXPECT_EQ(detection.at("eagerness"), "auto");
  EXPECT_FALSE(detection.as_object().contains("silence_duration_ms"));
}

TEST(Session, DropsTheWholeUpdateWhenAKeyIsUnknown) {
  ModelSession session;
  session.Send(Update(R"("instructions":"lost","turn_detection":null)"));
  EXPECT_EQ(session.ErrorCode(), "unknown_parameter");
  EXPECT_EQ(session.Text("error", "error.param"), "session.turn_detection");
  EXPECT_EQ(session.Text("error", "error.event_id"), "e1");
  session.Send(Update(R"("tool_choice":"none")"));
  EXPECT_EQ(session.Text("session.updated", "session.instructions"), "");
  EXPECT_EQ(session.record.refused(), 1U);
}

struct Refused {
  std::string text;
  std::string code;
  std::string param;
};

TEST(Session, RefusesWhatTheServiceRefusesAndNamesThePath) {
  const std::vector<Refused> cases = {
      {R"({"type":"session.update","session":{"instructions":"x"}})", "missing_required_parameter",
       "session.type"},
      {R"({"type":"session.update"})", "missing_required_parameter", "session"},
      {Update(R"("temperature":0.8)"), "unknown_parameter", "session.temperature"},
      {Update(R"("modalities":["text"])"), "unknown_parameter", "session.modalities"},
      {Update(R"("instructions":7)"), "invalid_type", "session.instructions"},
      {Update(
           R"("audio":{"input":{"turn_detection":{"type":"server_vad","create_response":null}}})"),
       "invalid_type", "session.audio.input.turn_detection.create_response"},
      {Update(R"("audio":{"input":{"turn_detection":{"type":"server_vad","threshold":2}}})"),
       "invalid_value", "session.audio.input.turn_detection.threshold"},
      {Update(R"("audio":{"input":{"turn_detection":{"type":"none"}}})"), "invalid_value",
       "session.audio.input.turn_detection.type"},
      {Update(R"("audio":{"output":{"voice":"nobody"}})"), "invalid_value",
       "session.audio.output.voice"},
      {Update(R"("tools":[{"type":"function","name":"a","strict":true}])"), "unknown_parameter",
       "session.tools[0].strict"},
      {Update(R"("output_modalities":["video"])"), "invalid_value", "session.output_modalities[0]"},
      {Update(R"("model":"gpt-realtime")"), "invalid_value", "session.model"},
      {R"({"type":"session.update","session":{"type":"transcription"}})", "invalid_parameter", ""},
      {R"({"type":"output_audio_buffer.clear"})", "invalid_value", "type"},
      {R"({"type":"response.create","respond":{}})", "unknown_parameter", "respond"},
      {R"({"event_id":"x"})", "invalid_event", ""},
      {R"({"type":)", "invalid_json", ""},
      {R"([1])", "invalid_json", ""}};
  ModelSession session;
  for (const Refused& one : cases) {
    const std::size_t before = session.events.size();
    session.Send(one.text);
    ASSERT_EQ(session.events.size(), before + 1) << one.text;
    EXPECT_EQ(session.ErrorCode(), one.code) << one.text;
    EXPECT_EQ(session.Text("error", "error.param"), one.param) << one.text;
  }
  EXPECT_EQ(session.record.refused(), cases.size());
}

TEST(Session, RefusesReasoningForModelsThatDoNotReason) {
  ModelOptions options;
  options.model = "gpt-realtime-2025-08-28";
  ModelSession old(options);
  old.Send(Update(R"("reasoning":{"effort":"low"})"));
  EXPECT_EQ(old.ErrorCode(), "invalid_parameter");
  ModelSession current;
  current.Send(Update(R"("reasoning":{"effort":"low"})"));
  EXPECT_EQ(current.ErrorCode(), "");
}

TEST(Session, RefusesBinaryFrames) {
  ModelSession session;
  session.SendBinary();
  EXPECT_EQ(session.ErrorCode(), "invalid_event");
}

TEST(Session, ClosesAtTheFirstRefusalWhenStrict) {
  ModelOptions options;
  options.strict = true;
  ModelSession session(options);
  session.Send(R"({"type":"response.cancel"})");
  ASSERT_EQ(session.closes.size(), 1U);
  EXPECT_EQ(session.closes[0].code, 1008);
  EXPECT_EQ(session.ErrorCode(), "response_cancel_not_active");
}

TEST(Session, AnswersAnUpdateLateWhenTold) {
  ModelOptions options;
  options.faults.Add(*ParseFault(std::string_view("configure_delay:400")));
  ModelSession session(options);
  session.UsePushToTalk();
  session.Advance(milliseconds(399));
  EXPECT_TRUE(session.All("session.updated").empty());
  session.Advance(milliseconds(1));
  EXPECT_EQ(session.All("session.updated").size(), 1U);
}

TEST(Session, EndsAfterItsLength) {
  ModelSession session;
  session.Advance(hours(1) - milliseconds(1));
  EXPECT_TRUE(session.closes.empty());
  session.Advance(milliseconds(1));
  EXPECT_EQ(session.ErrorCode(), "session_expired");
  ASSERT_EQ(session.closes.size(), 1U);
  EXPECT_EQ(session.closes[0].code, 1001);
  EXPECT_EQ(session.record.refused(), 0U);
}

TEST(Session, GivesEveryEventAnIdOfItsOwn) {
  ModelSession session;
  session.Say("hello");
  session.Send(R"({"type":"response.create"})");
  session.Advance(seconds(5));
  std::set<std::string> ids;
  for (const SentEvent& sent : session.events) {
    ids.insert(std::string(StringOr(sent.event, "event_id")));
  }
  EXPECT_EQ(ids.size(), session.events.size());
  EXPECT_FALSE(ids.contains(""));
}

}  // namespace
}  // namespace voicebridge::simulator

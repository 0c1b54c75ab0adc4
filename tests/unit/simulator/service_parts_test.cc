// Connection checks, the journal, the script, the light model, speech.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/simulator/connection_check.h"
#include "tests/simulator/echo_model.h"
#include "tests/simulator/speech.h"
#include "tests/unit/simulator/model_session.h"

namespace voicebridge::simulator {
namespace {

TEST(ConnectionCheck, KnowsTheFatalRefusals) {
  EXPECT_FALSE(CheckConnection({"gpt-realtime-2.1", "sk-good", false}));
  EXPECT_FALSE(CheckConnection({"echo-light", "sk-good", false}));
  const auto key = CheckConnection({"gpt-realtime-2.1", "bad-key", false});
  EXPECT_EQ(key->close_code, 3000);
  EXPECT_EQ(key->close_reason(), "invalid_request_error.invalid_api_key");
  EXPECT_EQ(key->refusal.message.find("bad-key"), std::string::npos);
  EXPECT_EQ(CheckConnection({"gpt-realtime-2.1", "sk", true})->refusal.code,
            "beta_api_shape_disabled");
  EXPECT_EQ(CheckConnection({"", "sk", false})->refusal.code, "missing_model");
  const auto model = CheckConnection({"gpt-5.4", "sk", false});
  EXPECT_EQ(model->refusal.code, "invalid_model");
  EXPECT_EQ(model->close_code, 4000);
}

TEST(Journal, KeepsTheRefusalsOfSessionsThatItForgot) {
  Journal journal;
  for (int index = 0; index < 2001; ++index) {
    const auto record = journal.Open();
    record->id = std::to_string(index);
    record->AddRefusal("x", {"code", "message"});
    record->open = false;
  }
  const json::object all = journal.ToJson(std::nullopt);
  EXPECT_EQ(all.at("sessions").as_array().size(), 2000U);
  EXPECT_EQ(all.at("refused"), 2001);
  EXPECT_EQ(journal.ToJson("2000").at("sessions").as_array().size(), 1U);
  journal.Forget();
  EXPECT_EQ(journal.ToJson(std::nullopt).at("refused"), 0);
}

TEST(Journal, GoesOnWithOpenSessionsAfterForgetting) {
  ModelSession session;
  session.Say("hello");
  session.Send(R"({"type":"response.create"})");
  session.Advance(milliseconds(100));
  session.record.Forget();
  session.Advance(seconds(2));
  EXPECT_EQ(session.Text("response.done", "response.status"), "completed");
  EXPECT_EQ(session.record.ToJson().at("responses").as_array().size(), 0U);
}

TEST(ReplyScript, PrefersLinesForTheSession) {
  ReplyScript script;
  ASSERT_TRUE(script.Add(*ParseObject(R"({"replies":["any"]})")).ok());
  ASSERT_TRUE(script.Add(*ParseObject(R"({"session":"s","replies":["own"]})")).ok());
  EXPECT_EQ(script.TakeReply("other"), "any");
  EXPECT_EQ(script.TakeReply("s"), "own");
  EXPECT_EQ(script.TakeReply("s"), std::nullopt);
  EXPECT_FALSE(script.Add(*ParseObject(R"({"reply":"x"})")).ok());
  EXPECT_FALSE(script.Add(*ParseObject(R"({"replies":[1]})")).ok());
}

TEST(EchoModel, ReturnsTheAudioOfEveryAppendInOneResponse) {
  SessionRecord record;
  EchoModel model(ModelOptions{.session_id = "sess_e", .model = "echo-light"}, record);
  const TimePoint now{hours(1)};
  EXPECT_EQ(std::get<SendEvent>(model.Start(now)[0]).type, "session.created");
  const std::string compact = R"({"type":"input_audio_buffer.append","audio":"AAECAw=="})";
  const std::string spaced = R"({"audio": "AAECAw==", "type": "input_audio_buffer.append"})";
  EXPECT_EQ(model.HandleText(compact, now).size(), 5U);
  for (const std::string& text : {compact, spaced}) {
    const Effects effects = model.HandleText(text, now);
    ASSERT_EQ(effects.size(), 1U);
    const auto event = ParseObject(std::get<SendEvent>(effects[0]).text);
    ASSERT_TRUE(event.ok());
    EXPECT_EQ(StringOr(*event, "type"), "response.output_audio.delta");
    EXPECT_EQ(StringOr(*event, "delta"), "AAECAw==");
  }
  EXPECT_EQ(record.ToJson().at("audio_appended").at("bytes"), 12);
  const Effects updated =
      model.HandleText(R"({"type":"session.update","session":{"type":"realtime"}})", now);
  EXPECT_EQ(std::get<SendEvent>(updated[0]).type, "session.updated");
  EXPECT_EQ(std::get<SendEvent>(model.HandleText("{}", now)[0]).type, "error");
}

TEST(Speech, IsSecondsOfAudibleAudioAndDiffersByVoice) {
  const std::string text = "I heard you speak for 2.31 seconds. This is answer 4.";
  const std::string alloy = Synthesize(text, "alloy");
  const std::string marin = Synthesize(text, "marin");
  EXPECT_GT(alloy.size(), 2500U * 48);
  EXPECT_LT(alloy.size(), 5000U * 48);
  EXPECT_TRUE(alloy != marin);  // Not EXPECT_NE: nobody wants to read the samples.
  VoiceActivity activity(0);
  EXPECT_FALSE(activity.Feed(alloy).empty());
}

TEST(Speech, IsKoreanForKoreanText) {
  const std::string korean = Synthesize("반갑습니다! 먼저 이름이 어떻게 되세요?", "marin");
  EXPECT_GT(korean.size(), 1000U * 48);
  EXPECT_LT(korean.size(), 6000U * 48) << "words, not the names of letters";
  EXPECT_EQ(EspeakVoice("marin", "반갑습니다! OK?"), "ko+f5");
  EXPECT_EQ(EspeakVoice("alloy", "반갑습니다"), "ko");
  EXPECT_EQ(EspeakVoice("marin", "You said \"안녕\" and were polite."), "en-us+f5");
  EXPECT_EQ(EspeakVoice("nobody", "hello"), "en-us");
}

}  // namespace
}  // namespace voicebridge::simulator

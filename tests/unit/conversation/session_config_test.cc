#include "bridge_worker/conversation/session_config.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace voicebridge::worker {
namespace {

v1::Profile PlainProfile() {
  v1::Profile profile;
  profile.set_name("plain");
  profile.set_model("gpt-realtime-2.1");
  profile.set_instructions("Be kind.");
  profile.set_voice("marin");
  return profile;
}

json::object Parse(std::string_view text) { return ParseObject(text).value(); }

std::string Initial(const v1::Profile& profile, std::string_view initial = "") {
  return json::serialize(InitialSession(profile, initial));
}

std::string Value(const json::object& object, std::string_view path) {
  const json::value* value = FindPath(object, path);
  return value == nullptr ? "absent" : json::serialize(*value);
}

TEST(InitialSession, SaysEverythingForPushToTalk) {
  const json::object expected = Parse(R"({"type":"realtime","output_modalities":["audio"],
      "instructions":"Be kind.","audio":{
        "input":{"format":{"type":"audio/pcm","rate":24000},"transcription":null,"turn_detection":null},
        "output":{"format":{"type":"audio/pcm","rate":24000},"voice":"marin"}}})");
  EXPECT_EQ(InitialSession(PlainProfile(), ""), expected) << Initial(PlainProfile());
}

TEST(InitialSession, SpellsOutVoiceActivityTranscriptionAndSpeed) {
  v1::Profile profile = PlainProfile();
  profile.set_speed(1.25);
  profile.mutable_transcription()->set_model("gpt-4o-mini-transcribe");
  profile.mutable_transcription()->set_language("de");
  profile.mutable_turn_detection()->set_type(v1::TurnDetection::SERVER_VAD);
  const json::object session = InitialSession(profile, "");
  EXPECT_EQ(*FindPath(session, "audio.input.turn_detection"),
            json::value(Parse(R"({"type":"server_vad","threshold":0.5,"prefix_padding_ms":300,
                "silence_duration_ms":500,"create_response":true,"interrupt_response":true})")));
  EXPECT_EQ(Value(session, "audio.input.transcription"),
            R"({"model":"gpt-4o-mini-transcribe","language":"de"})");
  EXPECT_EQ(FindPath(session, "audio.output.speed")->as_double(), 1.25);
}

TEST(InitialSession, SpellsOutSemanticVoiceActivity) {
  v1::Profile profile = PlainProfile();
  profile.mutable_turn_detection()->set_type(v1::TurnDetection::SEMANTIC_VAD);
  const json::object session = InitialSession(profile, "");
  EXPECT_EQ(*FindPath(session, "audio.input.turn_detection"),
            json::value(Parse(R"({"type":"semantic_vad","eagerness":"auto","create_response":true,
                "interrupt_response":true})")));
}

TEST(InitialSession, LaysAClientSecretsDefaultsOnTop) {
  v1::Profile profile = PlainProfile();
  profile.mutable_turn_detection()->set_type(v1::TurnDetection::SERVER_VAD);
  const json::object session =
      InitialSession(profile,
                     R"({"type":"transcription","model":"other","tools":[],"instructions":"New.",
          "audio":{"input":{"format":{"type":"audio/pcmu"},"turn_detection":{"type":"semantic_vad"}},
                   "output":{"voice":"ash","format":{"type":"audio/pcma"}}}})");
  EXPECT_EQ(Value(session, "type"), R"("realtime")");
  EXPECT_EQ(Value(session, "model"), "absent");
  EXPECT_EQ(Value(session, "tools"), "[]");
  EXPECT_EQ(Value(session, "instructions"), R"("New.")");
  EXPECT_EQ(Value(session, "audio.input.turn_detection"), R"({"type":"semantic_vad"})");
  EXPECT_EQ(Value(session, "audio.input.format.type"), R"("audio/pcm")");
  EXPECT_EQ(Value(session, "audio.output.format.type"), R"("audio/pcm")");
  EXPECT_EQ(Value(session, "audio.output.voice"), R"("ash")");
}

TEST(InitialSession, KeepsWhatTheProfileLocks) {
  v1::Profile profile = PlainProfile();
  profile.mutable_turn_detection()->set_type(v1::TurnDetection::SERVER_VAD);
  profile.add_locked_settings("instructions");
  profile.add_locked_settings("audio.output");
  profile.add_locked_settings("audio.input.turn_detection.threshold");
  EXPECT_EQ(Initial(profile, R"({"instructions":"New.","audio":{"output":{"voice":"ash"},
                                 "input":{"turn_detection":{"type":"semantic_vad"}}}})"),
            Initial(profile));
  EXPECT_EQ(Initial(profile, "not JSON"), Initial(profile));
}

TEST(CheckSessionUpdate, NamesWhatIsWrong) {
  v1::Profile profile = PlainProfile();
  profile.add_locked_settings("instructions");
  profile.add_locked_settings("audio.input.turn_detection");
  struct Case {
    const char* session;
    const char* code;
    const char* param;
  };
  const Case cases[] = {
      {R"({})", "missing_required_parameter", "session"},
      {R"({"session":null})", "invalid_type", "session"},
      {R"({"session":[]})", "invalid_type", "session"},
      {R"({"session":{}})", "missing_required_parameter", "session.type"},
      {R"({"session":{"type":"transcription"}})", "invalid_value", "session.type"},
      {R"({"session":{"type":1}})", "invalid_value", "session.type"},
      {R"({"session":{"type":"realtime"}})", "", ""},
      {R"({"session":{"type":"realtime","tools":[]}})", "", ""},
      {R"({"session":{"type":"realtime","instructions":"x"}})", "setting_locked",
       "session.instructions"},
      {R"({"session":{"type":"realtime","audio":{"input":{"turn_detection":{"threshold":1}}}}})",
       "setting_locked", "session.audio.input.turn_detection"},
      {R"({"session":{"type":"realtime","audio":{"input":null}}})", "setting_locked",
       "session.audio.input.turn_detection"},
      {R"({"session":{"type":"realtime","audio":{"output":{"voice":"ash"}}}})", "", ""},
      {R"({"session":{"type":"realtime","audio":{"input":{"format":{"type":"audio/pcmu"}}}}})",
       "invalid_value", "session.audio.input.format"},
      {R"({"session":{"type":"realtime","audio":{"output":{"format":"pcm16"}}}})", "invalid_value",
       "session.audio.output.format"},
      {R"({"session":{"type":"realtime","audio":{"output":{"format":{"type":"audio/pcm","rate":16000}}}}})",
       "invalid_value", "session.audio.output.format"},
      {R"({"session":{"type":"realtime","audio":{"output":{"format":{"type":"audio/pcm","rate":24000}}}}})",
       "", ""},
      {R"({"session":{"type":"realtime","audio":{"output":{"format":{"type":"audio/pcm"}}}}})", "",
       ""},
      {R"({"session":{"type":"realtime","model":"gpt-realtime-2.1"}})", "", ""},
      {R"({"session":{"type":"realtime","model":"other"}})", "invalid_value", "session.model"},
      {R"({"session":{"type":"realtime","model":7}})", "invalid_value", "session.model"},
  };
  for (const Case& c : cases) {
    const auto error = CheckSessionUpdate(Parse(c.session), profile, "gpt-realtime-2.1");
    EXPECT_EQ(error ? error->code : "", c.code) << c.session;
    EXPECT_EQ(error ? error->param : "", c.param) << c.session;
    EXPECT_TRUE(!error || (error->type == "invalid_request_error" && !error->message.empty()));
  }
}

TEST(CheckResponseCreate, HoldsLocksAndFormatsForSingleResponses) {
  v1::Profile profile = PlainProfile();
  profile.add_locked_settings("instructions");
  struct Case {
    const char* event;
    const char* param;
  };
  const Case cases[] = {
      {R"({})", ""},
      {R"({"response":null})", ""},
      {R"({"response":7})", "response"},
      {R"({"response":{"metadata":{}}})", ""},
      {R"({"response":{"instructions":"x"}})", "response.instructions"},
      {R"({"response":{"audio":{"output":{"format":{"type":"audio/pcmu"}}}}})",
       "response.audio.output.format"},
  };
  for (const Case& c : cases) {
    const auto error = CheckResponseCreate(Parse(c.event), profile);
    EXPECT_EQ(error ? error->param : "", c.param) << c.event;
  }
}

TEST(PortableSession, LeavesOutWhatAConnectionAssigns) {
  EXPECT_EQ(PortableSession(Parse(R"({"id":"sess_1","object":"realtime.session","expires_at":1,
                                      "instructions":"x"})")),
            R"({"instructions":"x"})");
}

}  // namespace
}  // namespace voicebridge::worker

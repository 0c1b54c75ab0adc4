#include "gateway/client/client_protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <variant>

#include "common/core/base64.h"
#include "common/json/json.h"

namespace voicebridge::gateway {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string Append(std::string_view pcm) {
  std::string json = R"({"type":"input_audio_buffer.append","audio":")";
  AppendBase64(pcm, json);
  return json + "\"}";
}

// The inner error object of what DecodeClientText refuses.
json::object ErrorOf(std::string_view text) {
  const Decoded decoded = DecodeClientText(text);
  const auto* error = std::get_if<DecodeError>(&decoded);
  if (error == nullptr) {
    ADD_FAILURE() << "accepted: " << text.substr(0, 200);
    return {};
  }
  const auto event = ParseObject(error->event_json);
  EXPECT_TRUE(event.ok()) << error->event_json;
  EXPECT_EQ(StringOr(*event, "type"), "error");
  EXPECT_THAT(std::string(StringOr(*event, "event_id")), StartsWith("event_"));
  const json::object* inner = FindObject(*event, "error");
  EXPECT_NE(inner, nullptr);
  EXPECT_EQ(StringOr(*inner, "type"), "invalid_request_error");
  return *inner;
}

struct BadEvent {
  std::string text;
  std::string_view code;
  std::string_view param;  // Empty: null.
  std::string_view message;
};

void ExpectRefused(const BadEvent& bad) {
  const json::object error = ErrorOf(bad.text);
  EXPECT_EQ(StringOr(error, "code"), bad.code) << bad.text;
  EXPECT_THAT(std::string(StringOr(error, "message")), HasSubstr(std::string(bad.message)));
  ASSERT_TRUE(error.contains("param"));
  EXPECT_EQ(error.at("param").is_null(), bad.param.empty()) << bad.text;
  EXPECT_EQ(StringOr(error, "param"), bad.param) << bad.text;
}

TEST(ClientProtocol, DecodesAudioToItsBytes) {
  std::mt19937 random(7);
  for (const std::size_t size : {0U, 2U, 4U, 6U, 1920U, 100'000U}) {
    std::string pcm(size, '\0');
    for (char& byte : pcm) {
      byte = static_cast<char>(random());
    }
    const Decoded decoded = DecodeClientText(Append(pcm));
    ASSERT_TRUE(std::holds_alternative<DecodedAudio>(decoded)) << size;
    EXPECT_EQ(std::get<DecodedAudio>(decoded).pcm, pcm);
  }
}

TEST(ClientProtocol, ReadsAudioWithEscapedSlashes) {
  const Decoded decoded =
      DecodeClientText(R"({"audio":"\/\/8=","type":"input_audio_buffer.append"})");
  ASSERT_TRUE(std::holds_alternative<DecodedAudio>(decoded));
  EXPECT_EQ(std::get<DecodedAudio>(decoded).pcm, "\xFF\xFF");
}

TEST(ClientProtocol, RefusesWhatIsNoAudio) {
  const auto append = [](std::string_view audio) {
    return R"({"type":"input_audio_buffer.append","audio":)" + std::string(audio) + "}";
  };
  constexpr std::string_view kNoAudio = "Expected base64-encoded audio bytes";
  ExpectRefused({Append("odd"), "invalid_value", "audio", kNoAudio});
  ExpectRefused({append(R"("!!!!")"), "invalid_value", "audio", kNoAudio});
  ExpectRefused({append(R"("AAA")"), "invalid_value", "audio", kNoAudio});
  ExpectRefused({append(R"("AAAA AAAA")"), "invalid_value", "audio", kNoAudio});
  ExpectRefused({append("12"), "invalid_type", "audio", "'audio': expected string, got integer"});
  ExpectRefused({append("null"), "invalid_type", "audio", "expected string, got null"});
  ExpectRefused({R"({"type":"input_audio_buffer.append"})", "missing_required_parameter", "audio",
                 "Missing required parameter: 'audio'."});
}

TEST(ClientProtocol, AcceptsFifteenMebibytesOfAudioAndNoMore) {
  const std::size_t most = 15U << 20U;
  const Decoded decoded = DecodeClientText(Append(std::string(most, 'x')));
  ASSERT_TRUE(std::holds_alternative<DecodedAudio>(decoded));
  EXPECT_EQ(std::get<DecodedAudio>(decoded).pcm.size(), most);
  ExpectRefused({Append(std::string(most + 2, 'x')), "invalid_value", "audio", "Invalid 'audio'"});
}

TEST(ClientProtocol, RefusesWhatIsNoEvent) {
  ExpectRefused({"", "invalid_json", "", "failed to parse JSON value"});
  ExpectRefused({"{\"type\":", "invalid_json", "", "failed to parse JSON value"});
  ExpectRefused({"{\"type\":\"\xFF\"}", "invalid_json", "", "failed to parse JSON value"});
  ExpectRefused({std::string(100, '['), "invalid_json", "", "failed to parse JSON value"});
  ExpectRefused({"[]", "invalid_event", "", "expected a JSON object, got array"});
  ExpectRefused({"{}", "invalid_event", "", "The 'type' field is missing."});
  ExpectRefused({R"({"type":null})", "invalid_event", "", "The 'type' field is missing."});
  ExpectRefused({R"({"type":7})", "invalid_type", "type", "expected string, got integer"});
  ExpectRefused({R"({"type":"x","event_id":{}})", "invalid_type", "event_id",
                 "'event_id': expected string, got object"});
}

TEST(ClientProtocol, NeverRepeatsAHugeMessage) {
  const std::string huge(4U << 20U, 'x');
  for (const std::string& text :
       {huge, "{\"type\":\"" + huge, "{\"type\":\"" + huge + "\"}",
        "{\"type\":\"x\",\"event_id\":\"" + huge + "\"}",
        R"({"type":"input_audio_buffer.append","audio":"!)" + huge + "\"}"}) {
    const Decoded decoded = DecodeClientText(text);
    ASSERT_TRUE(std::holds_alternative<DecodeError>(decoded)) << text.substr(0, 60);
    EXPECT_LT(std::get<DecodeError>(decoded).event_json.size(), 1'000U);
  }
}

TEST(ClientProtocol, CountsTheLengthOfAnEventIdInCharacters) {
  const auto with_id = [](const std::string& id) {
    return R"({"type":"x","event_id":")" + id + "\"}";
  };
  std::string umlauts;
  for (int i = 0; i < 512; ++i) {
    umlauts += "ü";
  }
  EXPECT_TRUE(std::holds_alternative<DecodedEvent>(DecodeClientText(with_id(umlauts))));
  ExpectRefused({with_id(umlauts + "u"), "string_above_max_length", "event_id", "length 513"});
}

TEST(ClientProtocol, RepeatsTheEventIdOfTheClientInTheError) {
  EXPECT_EQ(StringOr(ErrorOf(R"({"event_id":"mine\"1","type":"session.update"})"), "event_id"),
            "mine\"1");
  EXPECT_TRUE(ErrorOf(R"({"type":"session.update"})").at("event_id").is_null());
}

TEST(ClientProtocol, ChecksTheMembersOfEachDocumentedEvent) {
  const BadEvent cases[] = {
      {R"({"type":"session.update"})", "missing_required_parameter", "session", "'session'"},
      {R"({"type":"session.update","session":[]})", "invalid_type", "session",
       "Invalid type for 'session': expected object, got array."},
      {R"({"type":"conversation.item.create"})", "missing_required_parameter", "item", "'item'"},
      {R"({"type":"conversation.item.create","item":"x"})", "invalid_type", "item", "got string"},
      {R"({"type":"conversation.item.create","item":{},"previous_item_id":1})", "invalid_type",
       "previous_item_id", "expected string, got integer"},
      {R"({"type":"conversation.item.delete"})", "missing_required_parameter", "item_id", ""},
      {R"({"type":"conversation.item.delete","item_id":null})", "invalid_type", "item_id",
       "got null"},
      {R"({"type":"conversation.item.retrieve","item_id":true})", "invalid_type", "item_id",
       "got boolean"},
      {R"({"type":"conversation.item.truncate","content_index":0,"audio_end_ms":1})",
       "missing_required_parameter", "item_id", ""},
      {R"({"type":"conversation.item.truncate","item_id":"i","audio_end_ms":1})",
       "missing_required_parameter", "content_index", ""},
      {R"({"type":"conversation.item.truncate","item_id":"i","content_index":0})",
       "missing_required_parameter", "audio_end_ms", ""},
      {R"({"type":"conversation.item.truncate","item_id":"i","content_index":0,"audio_end_ms":1.5})",
       "invalid_type", "audio_end_ms", "expected integer, got number"},
      {R"({"type":"conversation.item.truncate","item_id":"i","content_index":0,"audio_end_ms":"1"})",
       "invalid_type", "audio_end_ms", "expected integer, got string"},
      {R"({"type":"conversation.item.truncate","item_id":"i","content_index":0,"audio_end_ms":-1})",
       "integer_below_min_value", "audio_end_ms", ">= 0, but got -1"},
      {R"({"type":"response.create","response":1})", "invalid_type", "response", "got integer"},
      {R"({"type":"response.cancel","response_id":[]})", "invalid_type", "response_id",
       "got array"},
  };
  for (const BadEvent& bad : cases) {
    ExpectRefused(bad);
  }
}

TEST(ClientProtocol, PassesGoodEventsAndUnknownTypes) {
  for (const char* text :
       {R"({"type":"session.update","session":{"type":"realtime"}})",
        R"({"type":"input_audio_buffer.commit"})", R"({"type":"input_audio_buffer.clear"})",
        R"({"type":"conversation.item.create","item":{},"previous_item_id":null})",
        R"({"type":"conversation.item.create","item":{},"previous_item_id":"root"})",
        R"({"type":"response.create"})", R"({"type":"response.create","response":null})",
        R"({"type":"response.cancel"})", R"({"type":"voicebridge.something","item_id":7})"}) {
    EXPECT_TRUE(std::holds_alternative<DecodedEvent>(DecodeClientText(text))) << text;
  }
}

TEST(ClientProtocol, PullsOutWhatTheRelayNeeds) {
  const auto event = std::get<DecodedEvent>(
      DecodeClientText(R"({"type":"conversation.item.truncate","event_id":"e1","item_id":"item_1",)"
                       R"("content_index":0,"audio_end_ms":1500})"));
  EXPECT_EQ(event.type, "conversation.item.truncate");
  EXPECT_EQ(event.event_id, "e1");
  EXPECT_EQ(event.item_id, "item_1");
  EXPECT_EQ(event.audio_end_ms, 1500);
  const auto cancel = std::get<DecodedEvent>(
      DecodeClientText(R"({"type":"response.cancel","response_id":"resp_1"})"));
  EXPECT_EQ(cancel.response_id, "resp_1");
  EXPECT_EQ(cancel.audio_end_ms, -1);
}

TEST(ClientProtocol, RefusesBinaryMessages) {
  const auto event = ParseObject(RefuseBinary().event_json);
  ASSERT_TRUE(event.ok());
  EXPECT_EQ(StringOr(*FindObject(*event, "error"), "code"), "invalid_event");
}

TEST(ClientProtocol, RewritesOnlyTheEndOfATruncate) {
  const std::string text = WithAudioEnd(
      R"({"type":"conversation.item.truncate","item_id":"a\"b","content_index":0,"audio_end_ms":9})",
      4);
  const auto event = ParseObject(text);
  ASSERT_TRUE(event.ok()) << text;
  EXPECT_EQ(FindInteger(*event, "audio_end_ms"), 4);
  EXPECT_EQ(FindInteger(*event, "content_index"), 0);
  EXPECT_EQ(StringOr(*event, "item_id"), "a\"b");
}

TEST(ClientProtocol, EncodesAnAudioDeltaBehindWhatIsThere) {
  v1::ServerAudio audio;
  audio.set_event_id("event_1");
  audio.set_response_id("resp_1");
  audio.set_item_id("item_1");
  audio.set_output_index(2);
  audio.set_content_index(1);
  audio.set_pcm(std::string("\x00\x01\xFF\xFE", 4));
  std::string out = "kept";
  EncodeAudioDelta(audio, out);
  EXPECT_EQ(out, R"(kept{"type":"response.output_audio.delta","event_id":"event_1",)"
                 R"("response_id":"resp_1","item_id":"item_1","output_index":2,"content_index":1,)"
                 R"("delta":"AAH//g=="})");
}

TEST(ClientProtocol, EscapesTheIdsOfAnAudioDelta) {
  v1::ServerAudio audio;
  audio.set_item_id("a\"},{\"b\n");
  std::string out;
  EncodeAudioDelta(audio, out);
  const auto event = ParseObject(out);
  ASSERT_TRUE(event.ok()) << out;
  EXPECT_EQ(StringOr(*event, "item_id"), "a\"},{\"b\n");
  EXPECT_THAT(std::string(StringOr(*event, "event_id")), StartsWith("event_"));
  EXPECT_EQ(StringOr(*event, "delta"), "");
}

TEST(ClientProtocol, WritesItsOwnEventsWithTheirFields) {
  const auto ready = ParseObject(SessionReadyEvent("sess_1", "assistant", "token"));
  ASSERT_TRUE(ready.ok());
  EXPECT_EQ(StringOr(*ready, "type"), "voicebridge.session.ready");
  EXPECT_EQ(StringOr(*ready, "session_id"), "sess_1");
  EXPECT_EQ(StringOr(*ready, "profile"), "assistant");
  EXPECT_EQ(StringOr(*ready, "access_token"), "token");
  const auto draining = ParseObject(SessionDrainingEvent(2500));
  ASSERT_TRUE(draining.ok());
  EXPECT_EQ(FindInteger(*draining, "time_left_ms"), 2500);
  const auto ended = ParseObject(SessionEndedEvent("draining", "Say \"bye\"."));
  ASSERT_TRUE(ended.ok());
  EXPECT_EQ(StringOr(*ended, "reason"), "draining");
  EXPECT_EQ(StringOr(*ended, "message"), "Say \"bye\".");
  EXPECT_EQ(FindBool(*ended, "resumable"), false);
  const auto created = ParseObject(SessionCreatedEvent(R"({"id":"sess_1"})"));
  ASSERT_TRUE(created.ok());
  EXPECT_EQ(StringOr(*FindObject(*created, "session"), "id"), "sess_1");
}

}  // namespace
}  // namespace voicebridge::gateway

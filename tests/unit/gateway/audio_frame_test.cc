#include "gateway/client/audio_frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <variant>

#include "common/core/limits.h"
#include "common/json/json.h"

namespace voicebridge::gateway {
namespace {

using testing::HasSubstr;

std::string Bytes(std::initializer_list<int> values) {
  std::string bytes;
  for (const int value : values) {
    bytes += static_cast<char>(value);
  }
  return bytes;
}

std::string PcmOf(std::string_view message) {
  const Decoded decoded = DecodeAudioFrame(message);
  const auto* audio = std::get_if<DecodedAudio>(&decoded);
  EXPECT_NE(audio, nullptr);
  return audio == nullptr ? "" : audio->pcm;
}

void ExpectRefused(std::string_view message, std::string_view param) {
  const Decoded decoded = DecodeAudioFrame(message);
  const auto* error = std::get_if<DecodeError>(&decoded);
  ASSERT_NE(error, nullptr) << param;
  const auto event = ParseObject(error->event_json);
  ASSERT_TRUE(event.ok());
  EXPECT_EQ(StringOr(*event, "type"), "error");
  const json::object* inner = FindObject(*event, "error");
  ASSERT_NE(inner, nullptr);
  EXPECT_EQ(StringOr(*inner, "code"), "invalid_value");
  EXPECT_EQ(StringOr(*inner, "param"), param);
  EXPECT_THAT(std::string(StringOr(*inner, "message")), HasSubstr(std::string(param)));
}

v1::ServerAudio SomeAudio() {
  v1::ServerAudio audio;
  audio.set_response_id("resp_1");
  audio.set_item_id("item_7");
  audio.set_output_index(1);
  audio.set_content_index(2);
  audio.set_first_sample(0x01020304);
  audio.set_pcm("abcd");
  return audio;
}

TEST(AudioFrame, TakesTheAudioThatFollowsTheHeader) {
  EXPECT_EQ(PcmOf(Bytes({1, 0, 4, 0}) + "abcd"), "abcd");
  EXPECT_EQ(PcmOf(Bytes({1, 0, 4, 0})), "");
}

TEST(AudioFrame, GoesByTheHeaderLengthSoThatLaterVersionsMayAddFields) {
  EXPECT_EQ(PcmOf(Bytes({1, 0xff, 6, 0, 9, 9}) + "abcd"), "abcd");
}

TEST(AudioFrame, RefusesWhatIsNotInputAudioAndNamesTheField) {
  ExpectRefused("", "header");
  ExpectRefused(Bytes({1, 0, 4}), "header");
  ExpectRefused(Bytes({2, 0, 4, 0, 0, 0}), "kind");
  ExpectRefused(Bytes({0, 0, 4, 0, 0, 0}), "kind");
  ExpectRefused(Bytes({1, 0, 2, 0, 0, 0}), "header_bytes");
  ExpectRefused(Bytes({1, 0, 5, 0, 0, 0}), "header_bytes");
  ExpectRefused(Bytes({1, 0, 8, 0, 0, 0}), "header_bytes");
  ExpectRefused(Bytes({1, 0, 4, 1, 0, 0}), "header_bytes");
  ExpectRefused(Bytes({1, 0, 4, 0, 0}), "audio");
  ExpectRefused(Bytes({1, 0, 4, 0}) + std::string(limits::kAppendAudioMax + 2, 'x'), "audio");
}

TEST(AudioFrame, TakesTheLargestAppend) {
  const std::string pcm(limits::kAppendAudioMax, 'x');
  EXPECT_EQ(PcmOf(Bytes({1, 0, 4, 0}) + pcm), pcm);
}

TEST(AudioFrame, WritesTheDocumentedLayout) {
  std::string frame = "what was there before";
  ASSERT_TRUE(EncodeAudioFrame(SomeAudio(), frame));
  EXPECT_EQ(frame, Bytes({2, 0, 28, 0, 1, 0, 2, 0, 4, 3, 2, 1, 6, 0, 6, 0}) + "resp_1item_7abcd");
}

TEST(AudioFrame, BeginsTheAudioAtAnEvenByte) {
  v1::ServerAudio audio = SomeAudio();
  audio.set_item_id("item_");
  std::string frame;
  ASSERT_TRUE(EncodeAudioFrame(audio, frame));
  EXPECT_EQ(frame, Bytes({2, 0, 28, 0, 1, 0, 2, 0, 4, 3, 2, 1, 6, 0, 5, 0}) + "resp_1item_" + '\0' +
                       "abcd");
}

TEST(AudioFrame, LeavesToJsonWhatDoesNotFitTheHeader) {
  std::string frame;
  v1::ServerAudio audio = SomeAudio();
  audio.set_item_id(std::string(70'000, 'i'));
  EXPECT_FALSE(EncodeAudioFrame(audio, frame));
  audio = SomeAudio();
  audio.set_output_index(70'000);
  EXPECT_FALSE(EncodeAudioFrame(audio, frame));
  audio = SomeAudio();
  audio.set_first_sample(1ULL << 32U);
  EXPECT_FALSE(EncodeAudioFrame(audio, frame));
}

}  // namespace
}  // namespace voicebridge::gateway

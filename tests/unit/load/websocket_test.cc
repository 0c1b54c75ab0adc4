#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/core/status.h"
#include "tests/load/messages.h"
#include "tests/load/upgrade.h"
#include "tests/load/websocket_frames.h"

namespace voicebridge::load {
namespace {

using testing::HasSubstr;
using State = ParsedFrame::State;

constexpr std::size_t kMax = 1U << 20U;

ParsedFrame Parse(std::string& bytes, bool masked) {
  return ParseFrame(bytes.data(), bytes.size(), masked, kMax);
}

// RFC 6455 section 5.7.
TEST(WebSocketFrames, AreTheExamplesOfTheStandard) {
  std::string plain;
  AppendFrame(Opcode::kText, "Hello", std::nullopt, plain);
  EXPECT_EQ(plain, std::string("\x81\x05Hello"));
  std::string masked;
  AppendFrame(Opcode::kText, "Hello", 0x3d21fa37, masked);
  EXPECT_EQ(masked, std::string("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"));
}

TEST(WebSocketFrames, OfEveryLengthComeBackFromTheirBytes) {
  for (const bool masked : {false, true}) {
    for (const std::size_t size : {0U, 1U, 125U, 126U, 127U, 2603U, 65535U, 65536U, 70001U}) {
      std::string payload(size, '\0');
      for (std::size_t i = 0; i < size; ++i) {
        payload[i] = static_cast<char>(i * 31);
      }
      std::string bytes;
      AppendFrame(Opcode::kBinary, payload,
                  masked ? std::optional<std::uint32_t>(0x12345678) : std::nullopt, bytes);
      const std::size_t length = bytes.size();
      bytes += "next";
      const ParsedFrame frame = Parse(bytes, masked);
      ASSERT_EQ(frame.state, State::kFrame) << size;
      EXPECT_EQ(frame.opcode, Opcode::kBinary);
      EXPECT_EQ(frame.payload, payload);
      EXPECT_EQ(frame.bytes, length);
    }
  }
}

TEST(WebSocketFrames, AreIncompleteUntilTheLastByte) {
  std::string whole;
  AppendFrame(Opcode::kText, std::string(300, 'x'), 0x01020304, whole);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    std::string part = whole.substr(0, size);
    ASSERT_EQ(Parse(part, true).state, State::kIncomplete) << size;
    EXPECT_EQ(part, whole.substr(0, size)) << "unmasked too early";
  }
}

TEST(WebSocketFrames, RefuseWhatIsNotSpokenHere) {
  std::string fragment("\x01\x01x", 3);
  EXPECT_EQ(Parse(fragment, false).state, State::kMalformed);
  std::string compressed("\xc1\x01x", 3);
  EXPECT_EQ(Parse(compressed, false).state, State::kMalformed);
  std::string unknown("\x83\x01x", 3);
  EXPECT_EQ(Parse(unknown, false).state, State::kMalformed);
  std::string unmasked("\x81\x01x", 3);
  EXPECT_EQ(Parse(unmasked, true).state, State::kMalformed);
  std::string endless("\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff", 10);
  EXPECT_EQ(Parse(endless, false).state, State::kMalformed);
}

TEST(WebSocketFrames, SayInWordsWhyAPeerCloses) {
  EXPECT_EQ(DescribeClose(ClosePayload(1011, "broken")), "code 1011 (broken)");
  EXPECT_EQ(DescribeClose(ClosePayload(1001, "")), "code 1001");
  EXPECT_EQ(DescribeClose(""), "without a code");
}

UpgradeRequest Request() {
  return {*ParseUrl("ws://127.0.0.1:8080/v1/realtime?profile=a"),
          "dGhlIHNhbXBsZSBub25jZQ==", "realtime", "secret"};
}

TEST(Upgrade, AcceptsTheStandardsKey) {
  EXPECT_EQ(AcceptFor("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(Upgrade, IsUnderstoodByItsOwnOtherSide) {
  const std::string request = WriteRequest(Request());
  EXPECT_THAT(request, HasSubstr("GET /v1/realtime?profile=a HTTP/1.1\r\n"));
  EXPECT_THAT(request, HasSubstr("Authorization: Bearer secret\r\n"));
  EXPECT_EQ(EndOfHead(request), request.size());
  const auto answer = AnswerUpgrade(request);
  ASSERT_TRUE(answer.ok());
  EXPECT_TRUE(CheckResponse(Request(), *answer).ok());
}

TEST(Upgrade, SaysWhatWasAnsweredInstead) {
  EXPECT_THAT(Message(CheckResponse(Request(), "HTTP/1.1 503 Service Unavailable\r\n\r\n")),
              HasSubstr("503 Service Unavailable"));
  std::string other_protocol = *AnswerUpgrade(WriteRequest(Request()));
  other_protocol.replace(other_protocol.find(": realtime"), 10, ": whatever");
  EXPECT_THAT(Message(CheckResponse(Request(), other_protocol)), HasSubstr("whatever"));
  UpgradeRequest other_key = Request();
  other_key.key = "other";
  EXPECT_FALSE(CheckResponse(other_key, *AnswerUpgrade(WriteRequest(Request()))).ok());
  EXPECT_FALSE(AnswerUpgrade("GET / HTTP/1.1\r\n\r\n").ok());
}

TEST(Messages, CarryAudioUpOnBothWires) {
  std::string message;
  WriteInputAudio(Wire::kJson, "abc", message);
  EXPECT_EQ(FindAppendedAudio(message), "YWJj");
  WriteInputAudio(Wire::kBinary, "abcd", message);
  EXPECT_EQ(message, std::string("\x01\x00\x04\x00"
                                 "abcd",
                                 8));
}

TEST(Messages, FindTheAudioOfADelta) {
  EXPECT_EQ(FindAudioDelta(R"({"type":"response.output_audio.delta","event_id":"e",)"
                           R"("response_id":"r","item_id":"i","output_index":0,)"
                           R"("content_index":0,"delta":"YWJj"})"),
            "YWJj");
  EXPECT_FALSE(FindAudioDelta(R"({"type":"response.output_text.delta","delta":"YWJj"})"));
  EXPECT_FALSE(FindAudioDelta(R"({"type":"response.output_audio.delta","delta":"YWJ)"));
}

TEST(Messages, FindTheAudioBehindTheHeaderThatTheFrameNames) {
  const std::string header(
      "\x02\x00\x14\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x02\x00rii\x00", 20);
  EXPECT_EQ(FindOutputAudio(header + "abcd"), "abcd");
  EXPECT_FALSE(FindOutputAudio(header.substr(0, 10)));
  EXPECT_FALSE(FindOutputAudio(std::string("\x01\x00\x04\x00xx", 6)));
}

}  // namespace
}  // namespace voicebridge::load

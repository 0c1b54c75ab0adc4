#include "common/core/base64.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace voicebridge {
namespace {

std::string Encode(std::string_view bytes) {
  std::string text;
  AppendBase64(bytes, text);
  return text;
}

struct Vector {
  std::string_view bytes;
  std::string_view text;
};

// RFC 4648 section 10.
constexpr Vector kVectors[] = {{"", ""},
                               {"f", "Zg=="},
                               {"fo", "Zm8="},
                               {"foo", "Zm9v"},
                               {"foob", "Zm9vYg=="},
                               {"fooba", "Zm9vYmE="},
                               {"foobar", "Zm9vYmFy"}};

TEST(Base64, AgreesWithTheVectorsOfItsRfc) {
  for (const Vector& vector : kVectors) {
    EXPECT_EQ(Encode(vector.bytes), vector.text);
    EXPECT_EQ(DecodeBase64(vector.text), vector.bytes);
  }
}

TEST(Base64, AppendsWithoutTouchingWhatIsThere) {
  std::string text = R"({"delta":")";
  AppendBase64("foo", text);
  text += "\"}";
  EXPECT_EQ(text, R"({"delta":"Zm9v"})");
}

TEST(Base64, RoundTripsRandomBytesOfEveryLengthUpToAFrame) {
  std::mt19937 random(20260729);
  std::uniform_int_distribution<int> byte(0, 255);
  for (std::size_t length = 0; length < 2000; length += 7) {
    std::string bytes(length, '\0');
    for (char& value : bytes) {
      value = static_cast<char>(byte(random));
    }
    ASSERT_EQ(DecodeBase64(Encode(bytes)), bytes) << "length " << length;
  }
}

TEST(Base64, RefusesEveryByteOutsideTheAlphabetAtEveryPosition) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::string good = "Zm9vYmFy";
  for (std::size_t position = 0; position < good.size(); ++position) {
    for (int value = 0; value < 256; ++value) {
      const char byte = static_cast<char>(value);
      std::string text = good;
      text[position] = byte;
      const bool in_alphabet = kAlphabet.find(byte) != std::string_view::npos;
      const bool final_padding = byte == '=' && position == good.size() - 1;
      if (final_padding) {
        continue;  // "YmF=" leaves bits over: see below.
      }
      EXPECT_EQ(DecodeBase64(text).has_value(), in_alphabet)
          << "byte " << value << " at " << position;
    }
  }
}

TEST(Base64, RefusesWrongPaddingAndIncompleteGroups) {
  for (const std::string_view text :
       {"Z", "Zg", "Zg=", "Zm8", "Zg===", "=", "==", "====", "Z===", "Zg==Zg==", "Zm8=Zg==",
        "Zm9v=", "Zg= =", "Zg==\n", "Zm9v\nYg=", "Zm9vZg..", "Zm8."}) {
    EXPECT_FALSE(DecodeBase64(text).has_value()) << text;
  }
}

TEST(Base64, RefusesBitsLeftOverInTheLastCharacter) {
  EXPECT_FALSE(DecodeBase64("Zh==").has_value());
  EXPECT_FALSE(DecodeBase64("Zm9=").has_value());
  EXPECT_FALSE(DecodeBase64("Zm9vZh==").has_value());
}

TEST(Base64, RefusesTheUrlSafeAlphabet) {
  EXPECT_EQ(DecodeBase64("+/+/"), "\xfb\xff\xbf");
  EXPECT_FALSE(DecodeBase64("-_-_").has_value());
}

}  // namespace
}  // namespace voicebridge

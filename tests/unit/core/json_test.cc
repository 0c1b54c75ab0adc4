#include "common/json/json.h"

#include <gmock/gmock.h>

#include <string>

#include "common/core/status.h"

namespace voicebridge {
namespace {

using testing::HasSubstr;

json::object Parse(std::string_view text) { return ParseObject(text).value(); }

TEST(ParseObject, ReturnsTheMembers) {
  const json::object object = Parse(R"({"type":"session.update","n":1})");
  EXPECT_EQ(StringOr(object, "type"), "session.update");
  EXPECT_EQ(FindInteger(object, "n"), 1);
}

TEST(ParseObject, RefusesWhatIsNotOneObject) {
  for (const std::string_view text :
       {"", " ", "{", "}", "[]", "1", "\"text\"", "null", "{} {}", "{}x", "{'a':1}", "{\"a\":}",
        "{\"a\":1,}", "{\"a\":NaN}", "{\"a\":\"\n\"}", "{\"a\":\"\xff\"}"}) {
    const absl::StatusOr<json::object> object = ParseObject(text);
    EXPECT_EQ(object.status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

TEST(ParseObject, SaysWhatWasExpectedAndWhereParsingStopped) {
  EXPECT_THAT(Message(ParseObject("[1]").status()), HasSubstr("expected a JSON object"));
  EXPECT_THAT(Message(ParseObject(R"({"a": tru})").status()), HasSubstr("byte 6"));
  EXPECT_THAT(Message(ParseObject(R"({"a": 1)").status()), HasSubstr("incomplete"));
}

TEST(ParseObject, RefusesNestingBeyond32Levels) {
  const auto nested = [](int levels) {
    return "{\"a\":" + std::string(static_cast<std::size_t>(levels), '[') +
           std::string(static_cast<std::size_t>(levels), ']') + "}";
  };
  EXPECT_TRUE(ParseObject(nested(31)).ok());
  EXPECT_FALSE(ParseObject(nested(32)).ok());
  EXPECT_FALSE(ParseObject(nested(100'000)).ok());
}

TEST(Find, GivesAMemberOnlyWhenItHasTheType) {
  const json::object object =
      Parse(R"({"s":"x","o":{},"a":[],"i":3,"f":3.0,"g":3.5,"b":false,"z":null})");
  EXPECT_EQ(*FindString(object, "s"), "x");
  EXPECT_NE(FindObject(object, "o"), nullptr);
  EXPECT_NE(FindArray(object, "a"), nullptr);
  EXPECT_EQ(FindInteger(object, "i"), 3);
  EXPECT_EQ(FindInteger(object, "f"), 3);
  EXPECT_EQ(FindBool(object, "b"), false);

  for (const char* key : {"o", "a", "i", "b", "z", "absent"}) {
    EXPECT_EQ(FindString(object, key), nullptr) << key;
  }
  for (const char* key : {"s", "a", "i", "b", "z", "absent"}) {
    EXPECT_EQ(FindObject(object, key), nullptr) << key;
  }
  for (const char* key : {"s", "o", "i", "b", "z", "absent"}) {
    EXPECT_EQ(FindArray(object, key), nullptr) << key;
  }
  for (const char* key : {"s", "o", "a", "g", "b", "z", "absent"}) {
    EXPECT_EQ(FindInteger(object, key), std::nullopt) << key;
  }
  for (const char* key : {"s", "o", "a", "i", "z", "absent"}) {
    EXPECT_EQ(FindBool(object, key), std::nullopt) << key;
  }
}

TEST(FindInteger, RefusesWhatDoesNotFit) {
  const json::object object = Parse(R"({"max":9223372036854775807,"over":9223372036854775808,
                                        "huge":1e300})");
  EXPECT_EQ(FindInteger(object, "max"), INT64_MAX);
  EXPECT_EQ(FindInteger(object, "over"), std::nullopt);
  EXPECT_EQ(FindInteger(object, "huge"), std::nullopt);
}

TEST(StringOr, FallsBackWhenTheMemberIsNoString) {
  const json::object object = Parse(R"({"s":"x","n":1})");
  EXPECT_EQ(StringOr(object, "s", "fallback"), "x");
  EXPECT_EQ(StringOr(object, "n", "fallback"), "fallback");
  EXPECT_EQ(StringOr(object, "absent"), "");
}

TEST(FindPath, WalksObjects) {
  const json::object object = Parse(R"({"audio":{"output":{"voice":"marin","speed":null}}})");
  ASSERT_NE(FindPath(object, "audio.output.voice"), nullptr);
  EXPECT_EQ(*FindPath(object, "audio.output.voice"), json::value("marin"));
  ASSERT_NE(FindPath(object, "audio.output.speed"), nullptr);
  EXPECT_TRUE(FindPath(object, "audio.output.speed")->is_null());
  ASSERT_NE(FindPath(object, "audio"), nullptr);
  EXPECT_EQ(FindPath(object, "audio.input.voice"), nullptr);
  EXPECT_EQ(FindPath(object, "audio.output.voice.name"), nullptr);
  EXPECT_EQ(FindPath(object, ""), nullptr);
}

}  // namespace
}  // namespace voicebridge

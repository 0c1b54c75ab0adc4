// The Responses API: what it refuses, what it writes for a schema, how it streams.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/core/status.h"
#include "tests/simulator/json_sample.h"
#include "tests/simulator/responses_reply.h"
#include "tests/simulator/responses_request.h"

namespace voicebridge::simulator {
namespace {

using testing::HasSubstr;

constexpr std::string_view kSchema = R"({
  "type":"object","additionalProperties":false,"required":["level","score","notes","kind","topics"],
  "properties":{
    "level":{"type":"string","enum":["A1","B1","C1"]},
    "score":{"type":"integer","minimum":1,"maximum":5},
    "notes":{"type":["string","null"],"maxLength":20},
    "kind":{"const":"report"},
    "topics":{"type":"array","minItems":3,"items":{"$ref":"#/$defs/topic"}}},
  "$defs":{"topic":{"type":"object","additionalProperties":false,"required":["name","share"],
    "properties":{"name":{"type":"string","minLength":60},
                  "share":{"anyOf":[{"type":"null"},
                                    {"type":"number","exclusiveMinimum":0,"maximum":1}]}}}}})";

std::string Body(std::string_view more = "", std::string_view schema = kSchema) {
  return R"({"model":"gpt-5.4-mini","input":"hello","text":{"format":{"type":"json_schema",
            "name":"report","strict":true,"schema":)" +
         std::string(schema) + "}}" + std::string(more) + "}";
}

ResponsesRequest Parsed(const std::string& body) {
  const auto parsed = ParseResponsesRequest(body);
  const auto* refused = std::get_if<ResponsesRefusal>(&parsed);
  EXPECT_EQ(refused, nullptr) << refused->refusal.message;
  return refused == nullptr ? std::get<ResponsesRequest>(parsed) : ResponsesRequest();
}

ResponsesRefusal Refused(const std::string& body) {
  const auto parsed = ParseResponsesRequest(body);
  const auto* refused = std::get_if<ResponsesRefusal>(&parsed);
  EXPECT_NE(refused, nullptr) << body;
  return refused == nullptr ? ResponsesRefusal() : *refused;
}

ResponsesReply Reply(std::string_view garbage = "") {
  IdSource ids(1);
  return ReplyTo(Parsed(Body()), garbage, 1000, ids);
}

TEST(ResponsesRequest, IsReadAsItIs) {
  const ResponsesRequest request =
      Parsed(Body(R"(,"stream":true,"store":false,"reasoning":{"effort":"low"},
                      "max_output_tokens":2000,"instructions":"You assess.")"));
  EXPECT_EQ(request.model, "gpt-5.4-mini");
  EXPECT_TRUE(request.stream);
  EXPECT_EQ(request.format, "report");
  EXPECT_EQ(request.input, "hello");
  ASSERT_TRUE(request.schema);
  const ResponsesRequest parts = Parsed(
      R"({"model":"gpt-5.4","input":[{"role":"user","content":[{"type":"input_text","text":"one"},
          {"type":"input_text","text":"two"}]},{"role":"assistant","content":"three"}]})");
  EXPECT_EQ(parts.input, "one\ntwo\nthree");
  EXPECT_FALSE(parts.schema);
}

TEST(ResponsesRequest, IsRefusedWithTheFieldThatIsWrong) {
  EXPECT_EQ(Refused("nonsense").refusal.code, "invalid_json");
  EXPECT_EQ(Refused(R"({"model":"gpt-5.4"})").refusal.param, "input");
  EXPECT_EQ(Refused(Body(R"(,"temprature":1)")).refusal.code, "unknown_parameter");
  EXPECT_EQ(Refused(Body(R"(,"max_output_tokens":1)")).refusal.param, "max_output_tokens");
  EXPECT_EQ(Refused(R"({"model":"gpt-5.4","input":[{"role":"user","content":[{"type":"image"}]}]})")
                .refusal.param,
            "input[0].content[0].type");
  const ResponsesRefusal model = Refused(R"({"model":"gpt-realtime-2.1","input":"x"})");
  EXPECT_EQ(model.refusal.code, "model_not_found");
  EXPECT_EQ(model.status, 404U);
}

TEST(ResponsesRequest, IsRefusedWhenAStrictSchemaLeavesSomethingOpen) {
  for (const std::string_view schema :
       {R"({"type":"string"})", R"({"type":"object","properties":{},"required":[]})",
        R"({"type":"object","additionalProperties":false,"required":[],
            "properties":{"a":{"type":"string"}}})",
        R"({"type":"object","additionalProperties":false,"required":["a"],
            "properties":{"a":{"type":"array","items":{"type":"object"}}}})"}) {
    EXPECT_EQ(Refused(Body("", schema)).refusal.code, "invalid_json_schema") << schema;
  }
}

TEST(JsonSample, SatisfiesItsSchema) {
  const json::value sample = SampleOf(*ParseObject(kSchema), SampleKind::kPlausible);
  EXPECT_EQ(sample.at("level"), "B1");
  EXPECT_EQ(sample.at("score"), 3);
  EXPECT_LE(sample.at("notes").as_string().size(), 20U);
  EXPECT_EQ(sample.at("kind"), "report");
  ASSERT_GE(sample.at("topics").as_array().size(), 3U);
  EXPECT_GE(sample.at("topics").at(0).at("name").as_string().size(), 60U);
  EXPECT_GT(sample.at("topics").at(0).at("share").as_double(), 0);
  EXPECT_LE(sample.at("topics").at(0).at("share").as_double(), 1);
}

TEST(JsonSample, LeavesEveryLimitBehindWhenAskedTo) {
  const json::value sample = SampleOf(*ParseObject(kSchema), SampleKind::kOutOfRange);
  EXPECT_EQ(sample.at("level"), "out_of_range");
  EXPECT_GT(sample.at("score").as_int64(), 5);
  EXPECT_GT(sample.at("notes").as_string().size(), 20U);
  EXPECT_GT(sample.at("topics").at(0).at("share").as_double(), 1);
}

TEST(JsonSample, EndsWithASchemaThatContainsItself) {
  const auto schema = ParseObject(
      R"({"type":"object","properties":{"children":{"type":"array","items":{"$ref":"#"}}}})");
  EXPECT_LT(json::serialize(SampleOf(*schema, SampleKind::kPlausible)).size(), 10'000U);
}

TEST(ResponsesReply, StreamsWhatItAlsoAnswersAtOnce) {
  const ResponsesReply reply = Reply();
  std::string text;
  std::vector<std::string> types;
  std::int64_t number = 0;
  for (const std::string& event : reply.events) {
    EXPECT_TRUE(event.ends_with("\n\n"));
    const std::size_t data = event.find("\ndata: ");
    types.push_back(event.substr(7, data - 7));
    const json::object fields = *ParseObject(event.substr(data + 7));
    EXPECT_EQ(StringOr(fields, "type"), types.back());
    EXPECT_EQ(FindInteger(fields, "sequence_number"), number++);
    text += types.back() == "response.output_text.delta" ? StringOr(fields, "delta") : "";
  }
  EXPECT_EQ(types.front(), "response.created");
  EXPECT_EQ(types.back(), "response.completed");
  EXPECT_EQ(text, reply.text);
  EXPECT_EQ(reply.response.at("output").at(0).at("content").at(0).at("text"), json::value(text));
  EXPECT_TRUE(ParseObject(text).ok());
  EXPECT_TRUE(ParseObject(BodyOf(reply, false)).ok());
}

TEST(ResponsesReply, CanBeGarbage) {
  EXPECT_FALSE(ParseObject(Reply("not_json").text).ok());
  EXPECT_EQ(Reply("empty").text, "");
  EXPECT_EQ(ParseObject(Reply("out_of_range").text)->at("level"), "out_of_range");
  const ResponsesReply refusal = Reply("refusal");
  EXPECT_EQ(refusal.response.at("output").at(0).at("content").at(0).at("type"), "refusal");
  EXPECT_THAT(StreamOf(refusal, false), HasSubstr("event: response.refusal.done"));
  EXPECT_THAT(StreamOf(Reply(), true), testing::Not(HasSubstr("response.completed")));
  EXPECT_FALSE(ParseObject(BodyOf(Reply(), true)).ok());
}

}  // namespace
}  // namespace voicebridge::simulator

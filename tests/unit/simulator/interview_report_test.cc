// Reports of interviews, the ways to get them wrong, and how calls are told apart.
#include "tests/simulator/interview_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "common/core/status.h"
#include "tests/simulator/faults.h"
#include "tests/simulator/journal.h"
#include "tests/simulator/responses_reply.h"
#include "tests/simulator/responses_request.h"

namespace voicebridge::simulator {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kReportSchema = R"({"type":"object","additionalProperties":false,
  "required":["ceiling_analysis","ceiling_phase","domain_analyses","logic_errors_to_debug",
              "optimization_strategy","proficiency_level","starting_module"],
  "properties":{
    "proficiency_level":{"type":"string","enum":["A1","A2","B1","B2","C1","C2"]},
    "ceiling_phase":{"type":"string","enum":["warm-up","level-up","probe"]},
    "ceiling_analysis":{"type":"string","minLength":1,"maxLength":1200},
    "domain_analyses":{"type":"array","minItems":5,"maxItems":5,"items":{"type":"object",
      "additionalProperties":false,"required":["domain","evidence","observation","rating"],
      "properties":{
        "domain":{"type":"string",
          "enum":["fluency_interaction","grammar","lexical","coherence","pragmatic"]},
        "rating":{"type":"integer","minimum":1,"maximum":10},
        "observation":{"type":"string","minLength":1,"maxLength":800},
        "evidence":{"type":"string","minLength":1,"maxLength":400}}}},
    "starting_module":{"type":"string","minLength":1,"maxLength":200},
    "logic_errors_to_debug":{"type":"array","minItems":2,"maxItems":2,
      "items":{"type":"string","minLength":1,"maxLength":500}},
    "optimization_strategy":{"type":"string","minLength":1,"maxLength":800}}})";

constexpr std::string_view kTranscript =
    "The transcript follows.\n"
    R"({"speaker":"assistant","text":"이름이 어떻게 되세요?"})"
    "\n"
    R"({"speaker":"user","text":"제 이름은 민수입니다."})"
    "\n"
    R"({"speaker":"user","text":null})"
    "\n"
    R"({"speaker":"user","text":"I do not know"})"
    "\n"
    R"({"conversation_ended_because":"저는"})"
    "\n";

ResponsesRequest ReportRequest(std::string_view input = kTranscript) {
  json::object format = {{"type", "json_schema"}, {"name", "assessment"}, {"strict", true}};
  format["schema"] = *ParseObject(kReportSchema);
  json::object body = {{"model", "gpt-5.4-mini"}, {"instructions", "Assess."}, {"input", input}};
  body["text"] = json::object{{"format", std::move(format)}};
  const auto parsed = ParseResponsesRequest(json::serialize(body));
  EXPECT_TRUE(std::holds_alternative<ResponsesRequest>(parsed));
  return std::get<ResponsesRequest>(parsed);
}

ResponsesReply ReportReply(std::string_view garbage) {
  IdSource ids(1);
  return ReplyTo(ReportRequest(), garbage, 1000, ids);
}

json::object Report(std::string_view input = kTranscript) {
  return InterviewReport(*ParseObject(kReportSchema), input).value_or(json::object());
}

TEST(InterviewReport, HasEachDomainOnceWithRatingsThatAgreeWithTheLevel) {
  const json::object report = Report();
  EXPECT_EQ(StringOr(report, "proficiency_level"), "B1");
  EXPECT_EQ(StringOr(report, "ceiling_phase"), "level-up");
  std::set<std::string> domains;
  int in_band = 0;
  for (const json::value& domain : report.at("domain_analyses").as_array()) {
    domains.emplace(View(domain.at("domain").as_string()));
    const std::int64_t rating = domain.at("rating").as_int64();
    in_band += rating == 5 || rating == 6 ? 1 : 0;
    EXPECT_GE(rating, 3);
    EXPECT_LE(rating, 8);
    EXPECT_FALSE(domain.at("observation").as_string().empty());
  }
  EXPECT_EQ(domains.size(), 5U);
  EXPECT_EQ(report.at("domain_analyses").as_array().size(), 5U);
  EXPECT_GE(in_band, 3);
  EXPECT_EQ(report.at("logic_errors_to_debug").as_array().size(), 2U);
  EXPECT_EQ(report.size(), 7U);
}

TEST(InterviewReport, QuotesTheUsersKorean) {
  const json::object report = Report();
  for (const json::value& domain : report.at("domain_analyses").as_array()) {
    EXPECT_EQ(domain.at("evidence"), "제 이름은 민수입니다.");
  }
  const json::object english = Report(R"({"speaker":"user","text":"only English"})");
  EXPECT_EQ(english.at("domain_analyses").at(0).at("evidence"), "only English");
  const json::object none = Report("no transcript at all");
  EXPECT_FALSE(none.at("domain_analyses").at(0).at("evidence").as_string().empty());
}

TEST(InterviewReport, KeepsQuotesShortAndWhole) {
  std::string text;
  for (int syllable = 0; syllable < 500; ++syllable) {
    text += "가";
  }
  const json::object line = {{"speaker", "user"}, {"text", text}};
  const json::object report = Report(json::serialize(line));
  const std::string evidence(View(report.at("domain_analyses").at(0).at("evidence").as_string()));
  EXPECT_LE(evidence.size(), 400U);
  EXPECT_EQ(evidence.size() % 3, 0U) << "whole characters";
}

TEST(InterviewReport, IsForTheSchemaOfAnInterviewOnly) {
  EXPECT_FALSE(InterviewReport(
      *ParseObject(R"({"type":"object","properties":{"score":{"type":"integer"}}})"), ""));
}

TEST(InterviewReport, ObeysOtherEnumerations) {
  json::object schema = *ParseObject(kReportSchema);
  json::object& properties = schema["properties"].as_object();
  properties["proficiency_level"].as_object()["enum"] = json::array{"low", "high"};
  json::object& domain = properties["domain_analyses"].at("items").at("properties").as_object();
  domain["domain"].as_object()["enum"] = json::array{"sound"};
  domain["rating"].as_object()["maximum"] = 3;
  const json::object report = *InterviewReport(schema, "");
  EXPECT_THAT(json::serialize(report.at("proficiency_level")),
              testing::AnyOf("\"low\"", "\"high\""));
  ASSERT_EQ(report.at("domain_analyses").as_array().size(), 1U);
  EXPECT_EQ(report.at("domain_analyses").at(0).at("domain"), "sound");
  EXPECT_EQ(report.at("domain_analyses").at(0).at("rating"), 3);
}

TEST(ReportGarbage, IsTheSameReportInAnotherOrder) {
  const json::object plain = *ParseObject(ReportReply("").text);
  const json::object other = *ParseObject(ReportReply("reordered").text);
  EXPECT_EQ(json::value(plain), json::value(other));
  EXPECT_NE(plain.begin()->key(), other.begin()->key());
  EXPECT_NE(plain.at("domain_analyses").at(0).as_object().begin()->key(),
            other.at("domain_analyses").at(0).as_object().begin()->key());
}

TEST(ReportGarbage, HasAMemberTooMany) {
  const json::object plain = *ParseObject(ReportReply("").text);
  EXPECT_EQ(ParseObject(ReportReply("extra_member").text)->size(), plain.size() + 1);
}

TEST(ReportGarbage, EndsInTheMiddleAndSaysSo) {
  const ResponsesReply reply = ReportReply("incomplete");
  EXPECT_FALSE(ParseObject(reply.text).ok());
  EXPECT_EQ(StringOr(reply.response, "status"), "incomplete");
  EXPECT_EQ(reply.response.at("incomplete_details").at("reason"), "max_output_tokens");
  EXPECT_THAT(reply.events.back(), HasSubstr("event: response.incomplete\n"));
  EXPECT_THAT(StreamOf(reply, false), Not(HasSubstr("response.completed")));
}

TEST(ReportGarbage, IsOutOfRangeOrRefusedOrEmptyOrNoJson) {
  const json::object beyond = *ParseObject(ReportReply("out_of_range").text);
  EXPECT_GT(beyond.at("domain_analyses").at(0).at("rating").as_int64(), 10);
  EXPECT_EQ(ReportReply("empty").text, "");
  EXPECT_FALSE(ParseObject(ReportReply("not_json").text).ok());
  EXPECT_EQ(ReportReply("refusal").response.at("output").at(0).at("content").at(0).at("type"),
            "refusal");
  EXPECT_EQ(StringOr(ReportReply("").response, "status"), "completed");
}

TEST(ReportGarbage, ComesInTheOrderInWhichItWasAskedFor) {
  Faults faults;
  for (const std::string word : {"refusal", "reordered"}) {
    faults.Add(*ParseFault(*ParseObject(
        fmt::format(R"({{"fault":"responses_garbage","arg":"{}","count":1}})", word))));
  }
  EXPECT_EQ(faults.TakeForCall().ToJson(), json::array{"responses_garbage:refusal"});
  EXPECT_EQ(faults.TakeForCall().ToJson(), json::array{"responses_garbage:reordered"});
  EXPECT_TRUE(faults.TakeForCall().ToJson().empty());
}

TEST(Prompts, AreEqualForAttemptsAtTheSameThing) {
  EXPECT_EQ(ReportRequest().prompt, ReportRequest().prompt);
  EXPECT_NE(ReportRequest().prompt, ReportRequest("another").prompt);
  Journal journal;
  for (const char* prompt : {"a", "b", "a"}) {
    journal.CountPrompt(prompt);
  }
  const json::object all = journal.ToJson(std::nullopt);
  EXPECT_EQ(all.at("responses_per_prompt"), json::value({{"a", 2}, {"b", 1}}));
  journal.Forget();
  EXPECT_TRUE(journal.ToJson(std::nullopt).at("responses_per_prompt").as_object().empty());
}

}  // namespace
}  // namespace voicebridge::simulator

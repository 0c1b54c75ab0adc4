// Reports of the model against the schema of a profile, and the schema itself.
#include <gmock/gmock.h>

#include "bridge_worker/interview/assessment.h"
#include "common/core/status.h"
#include "tests/unit/interview/interview_profile.h"

namespace voicebridge::worker::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string With(std::string_view text, std::string_view what, std::string_view instead) {
  std::string changed(text);
  const std::size_t at = changed.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return changed.replace(at, what.size(), instead);
}

std::string ErrorOf(std::string_view report) {
  return Message(CheckReport(SmallAssessment(), report).status());
}

// The complaint about kReport with one text replaced.
std::string ErrorWith(std::string_view what, std::string_view instead) {
  return ErrorOf(With(kReport, what, instead));
}

TEST(Report, ComesBackCompactInTheOrderOfTheSchema) {
  const auto report = CheckReport(SmallAssessment(), With(kReport, "\"note\"", " \n \"note\" "));
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(*report, kReportInOrder);
}

TEST(Report, ThatIsNoJsonObjectIsRefused) {
  EXPECT_THAT(ErrorOf(""), HasSubstr("not valid JSON"));
  EXPECT_THAT(ErrorOf("I am sorry."), HasSubstr("not valid JSON"));
  EXPECT_THAT(ErrorOf(kReport.substr(0, kReport.size() / 2)), HasSubstr("not valid JSON"));
  EXPECT_THAT(ErrorOf("[]"), HasSubstr("expected a JSON object"));
  EXPECT_THAT(ErrorOf("```json\n" + std::string(kReport) + "\n```"), HasSubstr("not valid JSON"));
  EXPECT_THAT(ErrorOf("{}"), HasSubstr("expected, and missing"));
}

TEST(Report, NamesThePlaceOfEachKindOfFaultAndNotItsText) {
  EXPECT_EQ(ErrorWith("\"B1\"", "\"A2-B1\""),
            "proficiency_level: expected one of [\"A1\",\"A2\",\"B1\"]");
  EXPECT_EQ(ErrorWith(":3", ":11"), "domain_analyses[0].rating: expected at most 10");
  EXPECT_EQ(ErrorWith(":3", ":0"), "domain_analyses[0].rating: expected at least 1");
  EXPECT_EQ(ErrorWith(":3", ":3.5"), "domain_analyses[0].rating: expected type integer");
  EXPECT_EQ(ErrorWith(":3", ":\"3\""), "domain_analyses[0].rating: expected type integer");
  EXPECT_EQ(ErrorWith("\"grammar\"", "null"), "domain_analyses[0].domain: expected type string");
  EXPECT_EQ(ErrorWith(",\"b\"", ""), "logic_errors_to_debug: expected at least 2 items");
  EXPECT_EQ(ErrorWith("\"b\"", "\"b\",\"c\""), "logic_errors_to_debug: expected at most 2 items");
  EXPECT_EQ(ErrorWith("\"b\"", "\"\""), "logic_errors_to_debug[1]: expected at least 1 characters");
  EXPECT_EQ(ErrorWith(R"([{"rating":3,"domain":"grammar"}])", "[]"),
            "domain_analyses: expected at least 1 items");
  EXPECT_EQ(ErrorWith("\"note\":null,", ""), "note: expected, and missing");
  EXPECT_EQ(ErrorWith("\"note\":null", "\"note\":null,\"secret\":1"),
            "the report: expected no members other than those of the schema");
}

TEST(Report, CountsCharactersRatherThanBytes) {
  EXPECT_EQ(ErrorWith("\"note\":null", "\"note\":\"가나다라\""), "");
  EXPECT_EQ(ErrorWith("\"note\":null", "\"note\":\"가나다라마\""),
            "note: expected at most 4 characters");
}

TEST(Report, IsAtMost256KiB) {
  const std::string long_text(300U << 10U, 'x');
  EXPECT_THAT(ErrorWith("grammar", long_text), StartsWith("the report: expected at most 262144"));
}

// --- The schema ---

std::string SchemaErrorWith(std::string_view what, std::string_view instead) {
  return Message(CheckReportSchema(AssessmentWith(With(kReportSchema, what, instead))));
}

TEST(ReportSchema, OfStrictModeIsAccepted) {
  EXPECT_TRUE(CheckReportSchema(SmallAssessment()).ok()) << CheckReportSchema(SmallAssessment());
}

TEST(ReportSchema, NamesThePlaceOfEachFault) {
  EXPECT_THAT(SchemaErrorWith("\"minimum\"", "\"minimun\""),
              StartsWith("properties.domain_analyses.items.properties.rating.minimun: unknown"));
  EXPECT_EQ(SchemaErrorWith("\"additionalProperties\": false", "\"additionalProperties\": true"),
            "additionalProperties: expected false");
  EXPECT_EQ(SchemaErrorWith("\"note\"]", "\"other\"]"),
            "required: expected the names of all properties");
  EXPECT_EQ(SchemaErrorWith(", \"note\"]", "]"), "required: expected the names of all properties");
  EXPECT_THAT(SchemaErrorWith("\"integer\"", "\"int\""), HasSubstr("rating.type: expected one of"));
  EXPECT_THAT(SchemaErrorWith("[\"string\", \"null\"]", "[\"string\", \"integer\"]"),
              HasSubstr("properties.note.type: expected one of"));
  EXPECT_THAT(SchemaErrorWith("\"maxItems\": 2", "\"maxItems\": 1"),
              HasSubstr("maxItems: expected at least minItems"));
  EXPECT_THAT(SchemaErrorWith("\"minItems\": 1", "\"minItems\": 0.5"),
              HasSubstr("minItems: expected a whole number"));
  EXPECT_THAT(SchemaErrorWith("\"maxLength\": 4", "\"maximum\": 4"),
              HasSubstr("note.maximum: belongs to type number only"));
  EXPECT_THAT(SchemaErrorWith("[\"A1\", \"A2\", \"B1\"]", "[]"),
              HasSubstr("enum: expected a list"));
  EXPECT_THAT(SchemaErrorWith("\"type\": \"array\", \"minItems\": 2", "\"type\": \"string\""),
              HasSubstr("logic_errors_to_debug"));
  EXPECT_THAT(Message(CheckReportSchema(AssessmentWith(R"({"type":"array"})"))),
              HasSubstr("type: expected \"object\" at the root"));
}

TEST(ReportSchema, IsAtMostTenLevelsDeep) {
  std::string schema = R"({"type":"string"})";
  for (int level = 0; level < 10; ++level) {
    schema =
        R"({"type":"object","additionalProperties":false,"required":["a"],"properties":{"a":)" +
        schema + "}}";
  }
  EXPECT_THAT(Message(CheckReportSchema(AssessmentWith(schema))), HasSubstr("at most 10 levels"));
}

}  // namespace
}  // namespace voicebridge::worker::test

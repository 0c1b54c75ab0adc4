// An assessment as a profile has it, small enough to be read.
#pragma once

#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "voicebridge/v1/profile.pb.h"

namespace voicebridge::worker::test {

inline constexpr std::string_view kReportSchema = R"({
  "type": "object", "additionalProperties": false,
  "required": ["proficiency_level", "domain_analyses", "logic_errors_to_debug", "note"],
  "properties": {
    "proficiency_level": {"type": "string", "enum": ["A1", "A2", "B1"]},
    "note": {"type": ["string", "null"], "maxLength": 4, "description": "Four at most."},
    "logic_errors_to_debug": {
      "type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "string", "minLength": 1}},
    "domain_analyses": {
      "type": "array", "minItems": 1,
      "items": {
        "type": "object", "additionalProperties": false, "required": ["domain", "rating"],
        "properties": {
          "domain": {"type": "string"},
          "rating": {"type": "integer", "minimum": 1, "maximum": 10}}}}}})";

inline constexpr std::string_view kReport =
    R"({"note":null,"logic_errors_to_debug":["a","b"],"proficiency_level":"B1",)"
    R"("domain_analyses":[{"rating":3,"domain":"grammar"}]})";
inline constexpr std::string_view kReportInOrder =
    R"({"domain_analyses":[{"domain":"grammar","rating":3}],"logic_errors_to_debug":["a","b"],)"
    R"("note":null,"proficiency_level":"B1"})";

inline v1::Assessment AssessmentWith(std::string_view schema) {
  v1::Assessment assessment;
  assessment.set_model("gpt-text");
  assessment.set_instructions("Assess.");
  const auto parsed = google::protobuf::util::JsonStringToMessage(
      google::protobuf::StringPiece(schema.data(), schema.size()), assessment.mutable_schema());
  EXPECT_TRUE(parsed.ok()) << parsed.message().ToString();
  return assessment;
}

inline v1::Assessment SmallAssessment() { return AssessmentWith(kReportSchema); }

}  // namespace voicebridge::worker::test

// The parts of a profile that the worker acts on: tools and assessment.
#include <algorithm>
#include <set>

#include "common/config/flags.h"
#include "common/config/profile_checker.h"

namespace voicebridge {
namespace {

constexpr std::size_t kToolNameMax = 64;
constexpr std::size_t kTextMax = 256U << 10U;
constexpr std::uint32_t kTimeoutMsMax = 30'000;
constexpr std::uint32_t kAttemptsMax = 5;
constexpr std::uint32_t kTurnsMax = 1000;
constexpr std::uint32_t kSecondsMax = 3600;
constexpr std::uint32_t kBudgetSecondsMax = 600;
constexpr std::uint32_t kOutputTokensMax = 128'000;

bool IsToolName(const std::string& name) {
  return !name.empty() && name.size() <= kToolNameMax &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-';
         });
}

bool IsWebhookUrl(const std::string& url) {
  constexpr std::string_view kPlain = "http://";
  if (url.starts_with(kPlain)) {
    const std::string_view rest = std::string_view(url).substr(kPlain.size());
    return IsLoopbackHostPort(rest.substr(0, rest.find('/')));
  }
  return url.starts_with("https://") && url.size() > std::string_view("https://").size();
}

void CheckWebhook(const v1::WebhookTool& webhook, const std::string& field,
                  ProfileChecker& checker) {
  checker.Require(IsWebhookUrl(webhook.url()), field + ".url",
                  "expected https://..., or http:// on a loopback HOST:PORT");
  checker.Require(webhook.timeout_ms() <= kTimeoutMsMax, field + ".timeout_ms",
                  "expected at most {}, got {}", kTimeoutMsMax, webhook.timeout_ms());
  checker.Require(webhook.attempts() <= kAttemptsMax, field + ".attempts",
                  "expected at most {}, got {}", kAttemptsMax, webhook.attempts());
  checker.Require(webhook.attempts() <= 1 || webhook.idempotent(), field + ".attempts",
                  "more than 1 needs \"idempotent\": true");
}

void CheckBuiltin(const v1::Profile& profile, const v1::Tool& tool, const std::string& field,
                  ProfileChecker& checker) {
  checker.Require(tool.builtin() != v1::BUILTIN_TOOL_UNSPECIFIED, field + ".builtin",
                  "expected INTERVIEW_GUIDANCE or TRIGGER_ASSESSMENT");
  checker.Require(profile.has_assessment(), field + ".builtin", "needs an assessment");
  checker.Require(
      tool.builtin() != v1::INTERVIEW_GUIDANCE || !profile.assessment().guidance().empty(),
      "assessment.guidance", "expected a text, because the tool {} answers with it", tool.name());
}

void CheckTool(const v1::Profile& profile, const v1::Tool& tool, const std::string& field,
               ProfileChecker& checker) {
  checker.Require(IsToolName(tool.name()), field + ".name",
                  "expected up to {} of A-Z, a-z, 0-9, _ and -, got \"{}\"", kToolNameMax,
                  tool.name());
  checker.Require(!tool.description().empty(), field + ".description", "expected a text");
  const auto& parameters = tool.parameters().fields();
  const auto type = parameters.find("type");
  checker.Require(type != parameters.end() && type->second.string_value() == "object",
                  field + ".parameters", "expected a JSON schema of type object");
  switch (tool.handler_case()) {
    case v1::Tool::kBuiltin:
      return CheckBuiltin(profile, tool, field, checker);
    case v1::Tool::kWebhook:
      return CheckWebhook(tool.webhook(), field + ".webhook", checker);
    case v1::Tool::HANDLER_NOT_SET:
      checker.Require(false, field, "expected builtin or webhook");
  }
}

}  // namespace

void CheckTools(const v1::Profile& profile, ProfileChecker& checker) {
  std::set<std::string> names;
  for (int i = 0; i < profile.tools_size(); ++i) {
    const std::string field = fmt::format("tools[{}]", i);
    CheckTool(profile, profile.tools(i), field, checker);
    checker.Require(names.insert(profile.tools(i).name()).second, field + ".name",
                    "\"{}\" is there already", profile.tools(i).name());
  }
}

void CheckAssessment(const v1::Assessment& assessment, ProfileChecker& checker) {
  const auto at_most = [&](std::uint32_t value, std::uint32_t most, std::string_view field) {
    checker.Require(value <= most, field, "expected at most {}, got {}", most, value);
  };
  checker.Require(!assessment.model().empty(), "assessment.model",
                  "expected the name of a model of the Responses API");
  checker.Require(!assessment.instructions().empty(), "assessment.instructions", "expected a text");
  checker.Require(!assessment.schema().fields().empty(), "assessment.schema",
                  "expected a strict JSON schema of type object");
  checker.Require(assessment.instructions().size() <= kTextMax, "assessment.instructions",
                  "expected at most {} bytes", kTextMax);
  checker.Require(assessment.guidance().size() <= kTextMax, "assessment.guidance",
                  "expected at most {} bytes", kTextMax);
  checker.Require(!assessment.summary_instructions().empty(), "assessment.summary_instructions",
                  "expected a text that names the language of the summary");
  at_most(assessment.turns_max(), kTurnsMax, "assessment.turns_max");
  at_most(assessment.seconds_max(), kSecondsMax, "assessment.seconds_max");
  at_most(assessment.budget_seconds(), kBudgetSecondsMax, "assessment.budget_seconds");
  at_most(assessment.attempts(), kAttemptsMax, "assessment.attempts");
  at_most(assessment.max_output_tokens(), kOutputTokensMax, "assessment.max_output_tokens");
  if (!assessment.summary_voice().empty()) {
    checker.RequireVoice(assessment.summary_voice(), "assessment.summary_voice");
  }
}

}  // namespace voicebridge

#include "bridge_worker/tools/webhook_policy.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "common/core/status.h"

namespace voicebridge::worker {
namespace {

using Outcome = ToolResult::Outcome;

constexpr Duration kBackOff = milliseconds(500);
constexpr Duration kBackOffMax = seconds(8);
constexpr int kRetryAfterSecondsMax = 10;

ToolResult Result(Outcome outcome, std::string output, std::string detail) {
  ToolResult result;
  result.outcome = outcome;
  result.output = std::move(output);
  result.detail = std::move(detail);
  return result;
}

// No reply, or not all of it.
WebhookVerdict JudgeFailure(const HttpReply& reply) {
  WebhookVerdict verdict;
  const absl::StatusCode code = reply.status.code();
  if (reply.head.status / 100 == 2 && code == absl::StatusCode::kResourceExhausted) {
    verdict.result =
        Result(Outcome::kFailed, "The tool did its work, but its answer was too long to be read.",
               "answer_too_long");
    return verdict;
  }
  verdict.may_pass = code != absl::StatusCode::kInvalidArgument;
  const bool late = code == absl::StatusCode::kDeadlineExceeded;
  std::string detail = late ? "timeout" : "connection";
  verdict.result =
      reply.request_sent
          ? Result(Outcome::kUnknown,
                   "The tool did not answer. Whether it did its work is not known.",
                   std::move(detail))
          : Result(Outcome::kFailed, "The tool could not be reached; nothing was done.",
                   std::move(detail));
  return verdict;
}

}  // namespace

WebhookVerdict JudgeWebhookReply(HttpReply reply) {
  if (!reply.status.ok()) {
    return JudgeFailure(reply);
  }
  const unsigned status = reply.head.status;
  std::string detail = fmt::format("http_{}", status);
  WebhookVerdict verdict;
  if (status / 100 == 2) {
    verdict.result = Result(Outcome::kAnswered, std::move(reply.body), std::move(detail));
    return verdict;
  }
  verdict.may_pass = status == 408 || status == 425 || status == 429 || status >= 500;
  const bool from_between = status == 502 || status == 504;  // The tool itself may be at work.
  verdict.result =
      from_between
          ? Result(Outcome::kUnknown,
                   "The tool did not answer. Whether it did its work is not known.",
                   std::move(detail))
          : Result(Outcome::kFailed, fmt::format("The tool failed with HTTP status {}.", status),
                   std::move(detail));
  return verdict;
}

Duration WebhookBackOff(const HttpReplyHead& head, unsigned next) {
  const std::string_view asked = head.Header("retry-after").value_or("");
  int wait = 0;
  const auto [end, error] = std::from_chars(asked.data(), asked.data() + asked.size(), wait);
  if (error == std::errc() && wait > 0 && wait <= kRetryAfterSecondsMax) {
    return seconds(wait);
  }
  const unsigned doublings = std::min(next < 2 ? 0U : next - 2, 8U);
  return std::min(kBackOff * (1 << doublings), kBackOffMax);
}

}  // namespace voicebridge::worker

#include "bridge_worker/interview/responses_error.h"

#include <charconv>
#include <cmath>
#include <ctime>
#include <optional>
#include <string>

#include "bridge_worker/interview/responses_stream.h"
#include "common/core/status.h"
#include "common/json/json.h"

namespace voicebridge::worker {
namespace {

constexpr double kWaitSecondsMax = 60;

std::optional<double> ParseNumber(std::optional<std::string_view> text) {
  double number = 0;
  if (!text) {
    return std::nullopt;
  }
  const char* const end = text->data() + text->size();
  const auto [parsed, error] = std::from_chars(text->data(), end, number);
  return error == std::errc() && parsed == end && std::isfinite(number) ? std::optional(number)
                                                                        : std::nullopt;
}

// "Sun, 06 Nov 1994 08:49:37 GMT".
std::optional<double> ParseHttpDate(std::optional<std::string_view> text) {
  if (!text) {
    return std::nullopt;
  }
  const std::string date(*text);
  std::tm time{};
  const char* const end = strptime(date.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &time);
  return end != nullptr && *end == '\0' ? std::optional(static_cast<double>(timegm(&time)))
                                        : std::nullopt;
}

std::optional<double> WaitSeconds(const HttpReplyHead& head) {
  if (const auto wait = ParseNumber(head.Header("retry-after-ms"))) {
    return *wait / 1000;
  }
  if (const auto wait = ParseNumber(head.Header("retry-after"))) {
    return wait;
  }
  const auto until = ParseHttpDate(head.Header("retry-after"));
  const auto sent = ParseHttpDate(head.Header("date"));
  return until && sent ? std::optional(*until - *sent) : std::nullopt;
}

std::optional<Duration> RetryAfter(const HttpReplyHead& head) {
  const std::optional<double> wait = WaitSeconds(head);
  if (!wait || *wait <= 0 || *wait > kWaitSecondsMax) {
    return std::nullopt;
  }
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(*wait));
}

std::string ErrorCode(std::string_view body) {
  const absl::StatusOr<json::object> object = ParseObject(body);
  const json::object* error = object.ok() ? FindObject(*object, "error") : nullptr;
  return error == nullptr ? "" : LogWord(StringOr(*error, "code", StringOr(*error, "type")));
}

bool MayPass(const HttpReplyHead& head, std::string_view code) {
  const std::string_view advice = head.Header("x-should-retry").value_or("");
  if (advice == "true" || advice == "false") {
    return advice == "true";
  }
  if (head.status == 429) {
    return code != "insufficient_quota";
  }
  return head.status == 408 || head.status == 409 || head.status >= 500;
}

}  // namespace

ResponsesAnswer ReadResponsesError(const HttpReplyHead& head, std::string_view body) {
  const std::string code = ErrorCode(body);
  ResponsesAnswer answer;
  answer.outcome = MayPass(head, code) ? ResponsesAnswer::Outcome::kUnavailable
                                       : ResponsesAnswer::Outcome::kRejected;
  answer.retry_after = RetryAfter(head);
  answer.detail = fmt::format("http_{}", head.status);
  answer.detail += code.empty() ? "" : " " + code;
  if (const auto request_id = head.Header("x-request-id")) {
    answer.detail += " " + LogWord(*request_id);
  }
  return answer;
}

}  // namespace voicebridge::worker

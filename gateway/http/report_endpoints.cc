#include "gateway/http/report_endpoints.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "common/core/status.h"
#include "common/json/escape.h"
#include "gateway/http/responses.h"

namespace voicebridge::gateway {
namespace {

constexpr std::string_view kPrefix = "/v1/sessions/";
constexpr std::string_view kReportSuffix = "/report";
constexpr std::string_view kRetrySuffix = "/assessment/retry";
constexpr std::size_t kSessionIdMax = 64;
constexpr std::string_view kBadToken = "invalid_access_token";

bool IsSessionId(std::string_view text) {
  const auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  };
  return !text.empty() && text.size() <= kSessionIdMax &&
         std::all_of(text.begin(), text.end(), is_word);
}

// The workers' own words stay inside: they are for operators.
HttpResponse RefuseFor(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
      return JsonErrorResponse(404, "invalid_request_error", "no_assessment",
                               "This session has no assessment.");
    case absl::StatusCode::kFailedPrecondition:
      return JsonErrorResponse(409, "invalid_request_error", "not_failed",
                               "The assessment has not failed: there is nothing to try again.");
    case absl::StatusCode::kInternal:
      return JsonErrorResponse(500, "server_error", "internal",
                               "The report could not be read. Its session's operator can help.");
    default:
      return TryLater("unavailable", "The report cannot be reached now. Try again in a moment.");
  }
}

void AppendMember(std::string_view name, std::string_view text, std::string& json) {
  json += json.size() > 1 ? "," : "";
  AppendJsonString(name, json);
  json += ':';
  AppendJsonString(text, json);
}

// The report is JSON already and is put in as it is.
std::string ReportJson(const v1::GetReportResponse& report) {
  std::string json = "{";
  json.reserve(report.report_json().size() + 256);
  AppendMember("assessment_id", report.assessment_id(), json);
  AppendMember("state", report.state(), json);
  if (!report.report_json().empty()) {
    json += ",\"report\":";
    json += report.report_json();
  }
  if (!report.failure_reason().empty()) {
    AppendMember("reason", report.failure_reason(), json);
  }
  return json + '}';
}

HttpResponse JsonResponse(unsigned status, std::string body) {
  HttpResponse response;
  response.status = status;
  response.content_type = "application/json";
  response.body = std::move(body);
  return response;
}

Awaitable<HttpResponse> RespondGet(std::string session_id, SessionReports& reports) {
  const absl::StatusOr<v1::GetReportResponse> report = co_await reports.Get(std::move(session_id));
  co_return report.ok() ? JsonResponse(200, ReportJson(*report)) : RefuseFor(report.status());
}

Awaitable<HttpResponse> RespondRetry(std::string session_id, SessionReports& reports) {
  const absl::StatusOr<v1::RetryAssessmentResponse> retried =
      co_await reports.Retry(std::move(session_id));
  if (!retried.ok()) {
    co_return RefuseFor(retried.status());
  }
  std::string body = "{";
  AppendMember("assessment_id", retried->assessment_id(), body);
  body += '}';
  co_return JsonResponse(202, std::move(body));
}

}  // namespace

std::optional<ReportRoute> ReportRouteOf(std::string_view path) {
  if (!path.starts_with(kPrefix)) {
    return std::nullopt;
  }
  path.remove_prefix(kPrefix.size());
  const std::size_t slash = std::min(path.find('/'), path.size());
  const std::string_view session_id = path.substr(0, slash);
  const std::string_view suffix = path.substr(slash);
  if (!IsSessionId(session_id) || (suffix != kReportSuffix && suffix != kRetrySuffix)) {
    return std::nullopt;
  }
  return ReportRoute{
      suffix == kReportSuffix ? ReportRoute::Kind::kReport : ReportRoute::Kind::kRetry,
      std::string(session_id)};
}

std::optional<Refusal> CheckReportToken(const ReportRoute& route, const HttpRequest& request,
                                        const SigningKeys& keys, std::int64_t unix_now) {
  const Secret token = CredentialOf(request);
  if (token.empty()) {
    return Refusal{.reason = RefusalReason::kNoCredential,
                   .message =
                       "Send the access_token of voicebridge.session.ready as "
                       "`Authorization: Bearer TOKEN`.",
                   .code = kBadToken};
  }
  const absl::Status good = VerifyAccessToken(keys, token.Reveal(), route.session_id, unix_now);
  if (good.ok()) {
    return std::nullopt;
  }
  Refusal refusal = RefusalOf(good);
  if (refusal.reason != RefusalReason::kForeignSession) {
    refusal.code = kBadToken;
  }
  return refusal;
}

void ForbidKeeping(HttpResponse& response) {
  response.headers.emplace_back("Cache-Control", "no-store");
}

Awaitable<HttpResponse> RespondReport(ReportRoute route, const HttpRequest& request,
                                      SessionReports& reports) {
  const bool is_report = route.kind == ReportRoute::Kind::kReport;
  if (is_report ? request.method != "GET" : request.method != "POST") {
    co_return is_report ? MethodNotAllowed("GET", "Reports are read with GET.")
                        : MethodNotAllowed("POST", "An assessment is tried again with POST.");
  }
  HttpResponse response;
  if (is_report) {
    response = co_await RespondGet(std::move(route.session_id), reports);
  } else {
    response = co_await RespondRetry(std::move(route.session_id), reports);
  }
  ForbidKeeping(response);
  co_return response;
}

}  // namespace voicebridge::gateway

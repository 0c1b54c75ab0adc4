// The report of a session's assessment over HTTP, for whoever holds the session's access token.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/async/awaitable.h"
#include "common/http/http_message.h"
#include "gateway/client/auth.h"
#include "voicebridge/v1/bridge.pb.h"

namespace voicebridge::gateway {

// GET /v1/sessions/ID/report, POST /v1/sessions/ID/assessment/retry.
struct ReportRoute {
  enum class Kind { kReport, kRetry };

  Kind kind;
  std::string session_id;
};

// nullopt: the path is none of these.
std::optional<ReportRoute> ReportRouteOf(std::string_view path);

// Where reports come from: the workers. Each call is bounded by a budget of its own. NOT_FOUND: no
// worker knows an assessment of this session; FAILED_PRECONDITION: it has not failed; UNAVAILABLE:
// nobody could say.
class SessionReports {
 public:
  virtual ~SessionReports() = default;

  virtual Awaitable<absl::StatusOr<v1::GetReportResponse>> Get(std::string session_id) = 0;
  virtual Awaitable<absl::StatusOr<v1::RetryAssessmentResponse>> Retry(std::string session_id) = 0;
};

// Whether the request brings the access token of this session; nullopt: it does.
std::optional<Refusal> CheckReportToken(const ReportRoute& route, const HttpRequest& request,
                                        const SigningKeys& keys, std::int64_t unix_now);

// The token was checked. `reports` outlives the call.
Awaitable<HttpResponse> RespondReport(ReportRoute route, const HttpRequest& request,
                                      SessionReports& reports);

// What stands in an answer of these routes is about one person.
void ForbidKeeping(HttpResponse& response);

}  // namespace voicebridge::gateway

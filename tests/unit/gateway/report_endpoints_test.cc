#include "gateway/http/report_endpoints.h"

#include <gmock/gmock.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include "common/json/json.h"
#include "gateway/http/responses.h"

namespace voicebridge::gateway {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t kIssuedAt = 1'800'000'000;
const std::string kSession = "sess_1";

class FakeReports final : public SessionReports {
 public:
  Awaitable<absl::StatusOr<v1::GetReportResponse>> Get(std::string session_id) override {
    asked.push_back("get " + session_id);
    co_return report;
  }
  Awaitable<absl::StatusOr<v1::RetryAssessmentResponse>> Retry(std::string session_id) override {
    asked.push_back("retry " + session_id);
    co_return retried;
  }

  absl::StatusOr<v1::GetReportResponse> report = absl::NotFoundError("not set");
  absl::StatusOr<v1::RetryAssessmentResponse> retried = absl::NotFoundError("not set");
  std::vector<std::string> asked;
};

class ReportEndpointsTest : public testing::Test {
 protected:
  HttpRequest Request(const std::string& method, const std::string& token) {
    HttpRequest request;
    request.method = method;
    if (!token.empty()) {
      request.headers.emplace_back("Authorization", "Bearer " + token);
    }
    return request;
  }

  HttpResponse Respond(ReportRoute::Kind kind, const HttpRequest& request) {
    const ReportRoute route{kind, kSession};
    if (const auto refusal = CheckReportToken(route, request, keys_, kIssuedAt)) {
      return ResponseTo(*refusal);
    }
    net::io_context io;
    auto response = net::co_spawn(io, RespondReport(route, request, reports_), net::use_future);
    io.run();
    return response.get();
  }

  HttpResponse GetReport() {
    return Respond(ReportRoute::Kind::kReport, Request("GET", Token(kSession)));
  }
  HttpResponse Retry() {
    return Respond(ReportRoute::Kind::kRetry, Request("POST", Token(kSession)));
  }

  std::string Token(const std::string& session, std::int64_t expires_at = kIssuedAt + 60) {
    return MintAccessToken(keys_, session, expires_at);
  }

  const SigningKeys keys_ = SigningKeys::Random();
  FakeReports reports_;
};

std::string Header(const HttpResponse& response, std::string_view name) {
  return std::string(FindHeader(response.headers, name).value_or(""));
}

TEST_F(ReportEndpointsTest, BringsAReportAsItIs) {
  v1::GetReportResponse report;
  report.set_assessment_id("asmt_\"1\"");
  report.set_state("completed");
  report.set_report_json(R"({"proficiency_level":"B1","evidence":"\"</script>"})");
  reports_.report = report;
  const HttpResponse response = GetReport();
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_EQ(Header(response, "Cache-Control"), "no-store");
  const absl::StatusOr<json::object> body = ParseObject(response.body);
  ASSERT_TRUE(body.ok()) << response.body;
  EXPECT_EQ(StringOr(*body, "assessment_id"), "asmt_\"1\"");
  EXPECT_EQ(StringOr(*body, "state"), "completed");
  EXPECT_EQ(FindPath(*body, "report.proficiency_level")->as_string(), "B1");
  EXPECT_THAT(reports_.asked, testing::ElementsAre("get sess_1"));
}

TEST_F(ReportEndpointsTest, ShowsNoReportBeforeThereIsOne) {
  for (const std::string state : {"pending", "running"}) {
    v1::GetReportResponse report;
    report.set_assessment_id("asmt_1");
    report.set_state(state);
    reports_.report = report;
    EXPECT_EQ(GetReport().body, R"({"assessment_id":"asmt_1","state":")" + state + R"("})");
  }
}

TEST_F(ReportEndpointsTest, SaysWhyAnAssessmentFailed) {
  v1::GetReportResponse report;
  report.set_assessment_id("asmt_1");
  report.set_state("failed");
  report.set_failure_reason("model_output");
  reports_.report = report;
  EXPECT_EQ(GetReport().body,
            R"({"assessment_id":"asmt_1","state":"failed","reason":"model_output"})");
}

TEST_F(ReportEndpointsTest, AcceptsARetry) {
  v1::RetryAssessmentResponse retried;
  retried.set_assessment_id("asmt_1");
  reports_.retried = retried;
  const HttpResponse response = Retry();
  EXPECT_EQ(response.status, 202U);
  EXPECT_EQ(response.body, R"({"assessment_id":"asmt_1"})");
  EXPECT_THAT(reports_.asked, testing::ElementsAre("retry sess_1"));
}

TEST_F(ReportEndpointsTest, WantsTheTokenOfThisSession) {
  const auto status = [this](const std::string& token) {
    return Respond(ReportRoute::Kind::kReport, Request("GET", token)).status;
  };
  EXPECT_EQ(status(""), 401U);
  EXPECT_EQ(status("sk-key"), 401U);
  EXPECT_EQ(status(Token(kSession, kIssuedAt)), 401U) << "expired";
  EXPECT_EQ(status(MintAccessToken(SigningKeys::Random(), kSession, kIssuedAt + 60)), 401U);
  ClientSecretClaims claims;
  claims.issued_to = kSession;
  claims.expires_at = kIssuedAt + 60;
  EXPECT_EQ(status(MintClientSecret(keys_, claims).substr(kClientSecretPrefix.size())), 401U);
  EXPECT_EQ(status(Token("sess_2")), 403U);
  EXPECT_THAT(reports_.asked, testing::IsEmpty()) << "nobody is asked without a good token";
}

TEST_F(ReportEndpointsTest, TellsWhatIsWrongWithATokenApart) {
  const auto reason = [this](const std::string& token) {
    const auto refusal = CheckReportToken({ReportRoute::Kind::kReport, kSession},
                                          Request("GET", token), keys_, kIssuedAt);
    EXPECT_TRUE(refusal.has_value());
    return refusal.value_or(Refusal()).reason;
  };
  EXPECT_EQ(reason(""), RefusalReason::kNoCredential);
  EXPECT_EQ(reason("sk-key"), RefusalReason::kForged);
  EXPECT_EQ(reason(MintAccessToken(SigningKeys::Random(), kSession, kIssuedAt + 60)),
            RefusalReason::kForged);
  EXPECT_EQ(reason(Token(kSession, kIssuedAt)), RefusalReason::kExpired);
  EXPECT_EQ(reason(Token("sess_2")), RefusalReason::kForeignSession);
}

TEST_F(ReportEndpointsTest, NamesTheSchemeAndRepeatsNoToken) {
  const HttpResponse response =
      Respond(ReportRoute::Kind::kRetry, Request("POST", Token("sess_2")));
  EXPECT_THAT(response.body, Not(HasSubstr("sess_2")));
  const HttpResponse missing = Respond(ReportRoute::Kind::kRetry, Request("POST", ""));
  EXPECT_EQ(Header(missing, "WWW-Authenticate"), "Bearer");
}

TEST_F(ReportEndpointsTest, MapsWhatTheWorkersSay) {
  const auto status = [this](absl::StatusCode code) {
    reports_.report = absl::Status(code, "secret words of a database");
    const HttpResponse response = GetReport();
    EXPECT_THAT(response.body, Not(HasSubstr("secret words")));
    return response.status;
  };
  EXPECT_EQ(status(absl::StatusCode::kNotFound), 404U);
  EXPECT_EQ(status(absl::StatusCode::kInternal), 500U);
  for (const auto code : {absl::StatusCode::kUnavailable, absl::StatusCode::kDeadlineExceeded,
                          absl::StatusCode::kCancelled, absl::StatusCode::kUnimplemented}) {
    EXPECT_EQ(status(code), 503U) << absl::StatusCodeToString(code);
  }
  EXPECT_EQ(Header(GetReport(), "Retry-After"), "1");
  reports_.retried = absl::FailedPreconditionError("it runs");
  EXPECT_EQ(Retry().status, 409U);
}

TEST_F(ReportEndpointsTest, KnowsOneMethodEach) {
  const HttpResponse get = Respond(ReportRoute::Kind::kReport, Request("DELETE", Token(kSession)));
  EXPECT_EQ(get.status, 405U);
  EXPECT_EQ(Header(get, "Allow"), "GET");
  const HttpResponse retry = Respond(ReportRoute::Kind::kRetry, Request("GET", Token(kSession)));
  EXPECT_EQ(retry.status, 405U);
  EXPECT_EQ(Header(retry, "Allow"), "POST");
  EXPECT_THAT(reports_.asked, testing::IsEmpty());
}

TEST(ReportRoute, IsFoundByItsPathOnly) {
  const auto report = ReportRouteOf("/v1/sessions/sess_aB-9/report");
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->kind, ReportRoute::Kind::kReport);
  EXPECT_EQ(report->session_id, "sess_aB-9");
  const auto retry = ReportRouteOf("/v1/sessions/sess_1/assessment/retry");
  ASSERT_TRUE(retry.has_value());
  EXPECT_EQ(retry->kind, ReportRoute::Kind::kRetry);
  for (const char* path :
       {"/v1/sessions", "/v1/sessions/", "/v1/sessions//report", "/v1/sessions/report",
        "/v1/sessions/sess_1", "/v1/sessions/sess_1/", "/v1/sessions/sess_1/report/",
        "/v1/sessions/a/b/report", "/v1/sessions/../report", "/v1/sessions/a b/report",
        "/v1/sessions/sess_1/assessment", "/V1/sessions/sess_1/report"}) {
    EXPECT_FALSE(ReportRouteOf(path).has_value()) << path;
  }
  EXPECT_FALSE(ReportRouteOf("/v1/sessions/" + std::string(65, 'a') + "/report").has_value());
}

}  // namespace
}  // namespace voicebridge::gateway

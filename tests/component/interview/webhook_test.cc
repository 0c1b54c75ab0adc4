// Webhook tools over a real connection.
#include <gmock/gmock.h>

#include <fstream>

#include "bridge_worker/tools/http_webhook.h"
#include "bridge_worker/tools/webhook_signature.h"
#include "common/core/status.h"
#include "common/core/wall_clock.h"
#include "common/json/json.h"
#include "common/observability/trace_context.h"
#include "tests/component/interview/http_fixture.h"

namespace voicebridge::worker::test {
namespace {

using testing::HasSubstr;
using ToolOutcome = ToolResult::Outcome;

constexpr char kTrace[] = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr std::string_view kKey = "0123456789abcdef0123456789abcdef";

class Webhook : public HttpTest {
 protected:
  Webhook() : secret_file_(testing::TempDir() + "voicebridge-webhook-secret") {
    std::ofstream(secret_file_) << kKey << "\n";
    tool.set_url(UrlText("/tool"));
    call = {"sess_1", "call_1", "lookup", R"({"word":"사과"})"};
    Answer({200});
  }

  // One answer after another; the last stays.
  void Answer(std::vector<unsigned> statuses) {
    service.respond = [this, statuses](const HttpRequest&) {
      HttpResponse response;
      response.status = statuses[std::min(service.requests.size(), statuses.size()) - 1];
      response.body = "apple";
      return response;
    };
  }

  ToolResult Call(Duration budget = seconds(10)) {
    v1::Profile profile;
    v1::Tool& entry = *profile.add_tools();
    entry.set_name("lookup");
    *entry.mutable_webhook() = tool;
    profiles.clear();
    profiles.emplace("assistant", profile);
    auto made = MakeHttpWebhookCaller(profiles, "", clock);
    EXPECT_TRUE(made.ok()) << made.status();
    caller = *std::move(made);
    return Await(caller->Call(tool, call, In(budget)));
  }

  const std::string secret_file_;
  SystemClock clock;
  Profiles profiles;
  v1::WebhookTool tool;
  ToolCall call;
  std::unique_ptr<WebhookCaller> caller;
};

TEST_F(Webhook, PostsTheCallAndReturnsTheAnswer) {
  const ToolResult result = Call();
  EXPECT_EQ(result.outcome, ToolOutcome::kAnswered);
  EXPECT_EQ(result.output, "apple");
  EXPECT_EQ(result.detail, "http_200 attempt_1");
  const HttpRequest& request = service.requests.at(0);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.path, "/tool");
  const json::object body = *ParseObject(request.body);
  EXPECT_EQ(StringOr(body, "call_id"), "call_1");
  EXPECT_EQ(StringOr(body, "name"), "lookup");
  EXPECT_EQ(StringOr(body, "session_id"), "sess_1");
  EXPECT_EQ(StringOr(body.at("arguments").get_object(), "word"), "사과");
  EXPECT_EQ(request.Header("idempotency-key"), "\"sess_1/call_1\"");
  EXPECT_EQ(request.Header("webhook-signature"), std::nullopt);
  EXPECT_EQ(request.Header("traceparent"), std::nullopt);
}

TEST_F(Webhook, GoesOnWithTheTraceOfTheSession) {
  call.traceparent = std::string("00-") + kTrace + "-00f067aa0ba902b7-01";
  EXPECT_EQ(Call().outcome, ToolOutcome::kAnswered);
  const auto trace = ParseTraceparent(service.requests.at(0).Header("traceparent").value_or(""));
  ASSERT_TRUE(trace.has_value());
  EXPECT_EQ(trace->trace_id, kTrace);
  EXPECT_NE(trace->span_id, "00f067aa0ba902b7") << "a step of its own";
}

TEST_F(Webhook, SignsEachAttempt) {
  tool.set_secret_file(secret_file_);
  tool.set_idempotent(true);
  tool.set_attempts(2);
  Answer({503, 200});
  EXPECT_EQ(Call().outcome, ToolOutcome::kAnswered);
  ASSERT_EQ(service.requests.size(), 2U);
  for (const HttpRequest& request : service.requests) {
    const std::string timestamp(request.Header("webhook-timestamp").value_or("0"));
    EXPECT_NEAR(static_cast<double>(std::stoll(timestamp)), static_cast<double>(UnixNow()), 30);
    EXPECT_EQ(request.Header("webhook-id"), "sess_1/call_1");
    EXPECT_EQ(request.Header("idempotency-key"), "\"sess_1/call_1\"");
    EXPECT_EQ(request.Header("webhook-signature"),
              WebhookSignature(Secret(std::string(kKey)), "sess_1/call_1", std::stoll(timestamp),
                               request.body));
  }
}

TEST_F(Webhook, IsTriedAgainOnlyWhenIdempotent) {
  tool.set_attempts(3);
  Answer({500, 200});
  const ToolResult once = Call();
  EXPECT_EQ(once.outcome, ToolOutcome::kFailed);
  EXPECT_EQ(service.requests.size(), 1U);
  service.requests.clear();
  tool.set_idempotent(true);
  EXPECT_EQ(Call().outcome, ToolOutcome::kAnswered);
  EXPECT_EQ(service.requests.size(), 2U);
}

TEST_F(Webhook, GivesUpWhenTheAttemptsAreUsedUp) {
  tool.set_idempotent(true);
  tool.set_attempts(2);
  Answer({500});
  const ToolResult result = Call();
  EXPECT_EQ(result.outcome, ToolOutcome::kFailed);
  EXPECT_EQ(result.detail, "http_500 attempt_2");
  EXPECT_EQ(service.requests.size(), 2U);
}

TEST_F(Webhook, DoesNotTryAgainWhatIsFinal) {
  tool.set_idempotent(true);
  tool.set_attempts(3);
  Answer({400});
  EXPECT_EQ(Call().outcome, ToolOutcome::kFailed);
  EXPECT_EQ(service.requests.size(), 1U);
}

TEST_F(Webhook, DoesNotFollowARedirect) {
  service.respond = [this](const HttpRequest&) {
    HttpResponse response;
    response.status = 307;
    response.headers.emplace_back("Location", UrlText("/elsewhere"));
    return response;
  };
  EXPECT_EQ(Call().outcome, ToolOutcome::kFailed);
  EXPECT_EQ(service.requests.size(), 1U);
}

TEST_F(Webhook, WithoutAnAnswerItsOutcomeIsUnknown) {
  tool.set_timeout_ms(60);
  service.delay = hours(1);
  const ToolResult result = Call();
  EXPECT_EQ(result.outcome, ToolOutcome::kUnknown);
  EXPECT_EQ(result.detail, "timeout attempt_1");
  EXPECT_THAT(result.output, HasSubstr("not known"));
}

TEST_F(Webhook, StaysUnknownWhenALaterAttemptDidNothing) {
  tool.set_idempotent(true);
  tool.set_attempts(2);
  Answer({502, 503});
  EXPECT_EQ(Call().outcome, ToolOutcome::kUnknown);
  EXPECT_EQ(service.requests.size(), 2U);
}

TEST_F(Webhook, ThatWasNeverReachedHasFailed) {
  net::post(io, [this] { server->StopAccepting(); });
  RunWhile([this] { return io.poll() > 0; });
  const ToolResult result = Call();
  EXPECT_EQ(result.outcome, ToolOutcome::kFailed);
  EXPECT_THAT(result.output, HasSubstr("nothing was done"));
}

TEST_F(Webhook, EndsWithTheDeadlineOfTheCall) {
  tool.set_idempotent(true);
  tool.set_attempts(5);
  tool.set_timeout_ms(30'000);
  service.delay = hours(1);
  EXPECT_EQ(Call(milliseconds(60)).outcome, ToolOutcome::kUnknown);
  EXPECT_EQ(service.requests.size(), 1U);
}

TEST_F(Webhook, DropsAnAnswerOfMoreThan64KiB) {
  service.respond = [](const HttpRequest&) {
    HttpResponse response;
    response.body = std::string((64U << 10U) + 1, 'x');
    return response;
  };
  const ToolResult result = Call();
  EXPECT_EQ(result.outcome, ToolOutcome::kFailed);
  EXPECT_EQ(result.detail, "answer_too_long attempt_1");
  EXPECT_LT(result.output.size(), 200U);
}

TEST_F(Webhook, IsNotCalledWithArgumentsThatAreNoObject) {
  call.arguments_json = "[1";
  EXPECT_EQ(Call().outcome, ToolOutcome::kFailed);
  EXPECT_TRUE(service.requests.empty());
}

TEST_F(Webhook, ConfigurationIsCheckedAtTheStart) {
  v1::Profile profile;
  v1::Tool& remote = *profile.add_tools();
  remote.set_name("plain");
  remote.mutable_webhook()->set_url("http://example.com/");
  v1::Tool& keyless = *profile.add_tools();
  keyless.set_name("keyless");
  keyless.mutable_webhook()->set_url("https://example.com/");
  keyless.mutable_webhook()->set_secret_file(testing::TempDir() + "no-such-file");
  profiles.emplace("assistant", profile);
  const auto made = MakeHttpWebhookCaller(profiles, "", clock);
  ASSERT_FALSE(made.ok());
  EXPECT_THAT(Message(made.status()), HasSubstr("assistant.json: tools: plain: webhook.url: "));
  EXPECT_THAT(Message(made.status()), HasSubstr("tools: keyless: webhook.secret_file: "));
}

}  // namespace
}  // namespace voicebridge::worker::test

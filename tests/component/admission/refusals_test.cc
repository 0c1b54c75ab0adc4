// What a refusal leaves behind: an answer, a number, and of a flood a few lines.
#include "gateway/http/refusals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "common/json/json.h"
#include "gateway/http/responses.h"
#include "tests/fakes/recording_logger.h"

namespace voicebridge::gateway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class RefusalsTest : public testing::Test {
 protected:
  static HttpRequest Request() {
    HttpRequest request;
    request.path = "/v1/realtime";
    request.query = {{"key", "sk-in-the-query"}};
    request.headers = {{"Authorization", "Bearer sk-in-the-header"}};
    return request;
  }

  double Counted(std::string_view reason) {
    for (const auto& family : registry_.Collect()) {
      for (const auto& metric : family.metric) {
        if (metric.label.front().value == reason) {
          return metric.counter.value;
        }
      }
    }
    return -1;
  }

  RecordingLogger logger_;
  prometheus::Registry registry_;
  RefusalCounters counters_{registry_, "refused_total", "Refused."};
  Refusals refusals_{logger_, counters_};
  const IpAddress client_ = *IpAddress::Parse("2001:db8::1");
};

TEST_F(RefusalsTest, AreCountedLoggedAndAnswered) {
  const HttpResponse response = refusals_.Refuse(
      {.reason = RefusalReason::kSecretSessions, .key = "backend", .secret_id = "secret_1"},
      Request(), client_);
  EXPECT_EQ(response.status, 429U);
  EXPECT_EQ(Counted("secret_sessions"), 1);
  EXPECT_EQ(Counted("address_sessions"), 0);
  EXPECT_THAT(logger_.lines(),
              ElementsAre("info    test request.refused reason=secret_sessions address=2001:db8::1 "
                          "path=/v1/realtime key=backend secret=secret_1 left_out=0"));
}

TEST_F(RefusalsTest, OfAFloodAreAllCountedAndFewLogged) {
  constexpr int kThreads = 4;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([this] {
      for (int i = 0; i < 2500; ++i) {
        refusals_.Refuse({.reason = RefusalReason::kWrongKey}, Request(), client_);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(Counted("wrong_key"), 10000);
  EXPECT_GE(logger_.lines().size(), 50U);
  EXPECT_LE(logger_.lines().size(), 100U) << "50 at once, and 5 in each second since";
}

TEST_F(RefusalsTest, LogNoCredentialNoQueryAndNoEndlessPath) {
  HttpRequest request = Request();
  request.path = "/v1/sessions/" + std::string(5000, 'x');
  refusals_.Refuse({.reason = RefusalReason::kForged}, request, client_);
  ASSERT_EQ(logger_.lines().size(), 1U);
  EXPECT_THAT(logger_.lines()[0], Not(HasSubstr("sk-in-the")));
  EXPECT_LT(logger_.lines()[0].size(), 300U);
}

TEST(RefusalAnswer, HasOpenAisShapeForEachReason) {
  for (std::size_t i = 0; i < kRefusalReasons; ++i) {
    const auto reason = static_cast<RefusalReason>(i);
    const HttpResponse response = ResponseTo({.reason = reason});
    const auto body = ParseObject(response.body);
    ASSERT_TRUE(body.ok()) << response.body;
    const json::object* error = FindObject(*body, "error");
    ASSERT_NE(error, nullptr) << response.body;
    EXPECT_EQ(StringOr(*error, "code"), RefusalTraitsOf(reason).code);
    EXPECT_EQ(StringOr(*error, "message"), RefusalTraitsOf(reason).message);
    EXPECT_EQ(response.status, RefusalTraitsOf(reason).status);
    EXPECT_EQ(FindHeader(response.headers, "Retry-After").has_value(),
              response.status == 429 || response.status == 503)
        << RefusalTraitsOf(reason).word;
    EXPECT_EQ(FindHeader(response.headers, "WWW-Authenticate").has_value(), response.status == 401);
  }
}

TEST(RefusalAnswer, SaysInWholeSecondsWhenToTryAgain) {
  const HttpResponse response = ResponseTo(
      {.reason = RefusalReason::kAddressRequests, .message = "m", .retry_after = milliseconds(1)});
  EXPECT_EQ(FindHeader(response.headers, "Retry-After"), "1");
  EXPECT_THAT(response.body, HasSubstr(R"("message":"m")"));
}

}  // namespace
}  // namespace voicebridge::gateway

// Webhooks without a network: signatures, and what becomes of a call.
#include <gmock/gmock.h>

#include "bridge_worker/tools/webhook_policy.h"
#include "bridge_worker/tools/webhook_signature.h"

namespace voicebridge::worker::test {
namespace {

using ToolOutcome = ToolResult::Outcome;

TEST(WebhookSignature, IsThatOfTheStandard) {
  // The example of the Standard Webhooks specification.
  const auto key = ParseWebhookSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_EQ(
      WebhookSignature(*key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, R"({"test": 2432232314})"),
      "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(WebhookSignature, TakesAPlainKeyAsItIs) {
  const auto key = ParseWebhookSecret("  0123456789abcdef\n");
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_EQ(key->Reveal(), "0123456789abcdef");
  EXPECT_FALSE(ParseWebhookSecret("too short").ok());
  EXPECT_FALSE(ParseWebhookSecret("whsec_not base64 at all!").ok());
}

HttpReply Reply(unsigned status, std::string body = "") {
  HttpReply reply;
  reply.request_sent = true;
  reply.head.status = status;
  reply.body = std::move(body);
  return reply;
}

HttpReply Failure(absl::StatusCode code, bool sent) {
  HttpReply reply;
  reply.status = absl::Status(code, "m");
  reply.request_sent = sent;
  return reply;
}

TEST(WebhookVerdict, TakesTheBodyOfASuccess) {
  const WebhookVerdict verdict = JudgeWebhookReply(Reply(201, "42"));
  EXPECT_EQ(verdict.result.outcome, ToolOutcome::kAnswered);
  EXPECT_EQ(verdict.result.output, "42");
  EXPECT_FALSE(verdict.may_pass);
}

TEST(WebhookVerdict, KnowsWhichStatusesMayPass) {
  for (const unsigned status : {408U, 425U, 429U, 500U, 502U, 503U, 504U}) {
    EXPECT_TRUE(JudgeWebhookReply(Reply(status)).may_pass) << status;
  }
  for (const unsigned status : {301U, 307U, 400U, 404U, 410U}) {
    const WebhookVerdict verdict = JudgeWebhookReply(Reply(status, "body"));
    EXPECT_FALSE(verdict.may_pass) << status;
    EXPECT_EQ(verdict.result.outcome, ToolOutcome::kFailed) << status;
    EXPECT_THAT(verdict.result.output, testing::Not(testing::HasSubstr("body")));
  }
}

TEST(WebhookVerdict, IsUnknownWhereTheWorkMayHaveBeenDone) {
  using absl::StatusCode;
  const auto outcome = [](HttpReply reply) {
    return JudgeWebhookReply(std::move(reply)).result.outcome;
  };
  EXPECT_EQ(outcome(Failure(StatusCode::kDeadlineExceeded, true)), ToolOutcome::kUnknown);
  EXPECT_EQ(outcome(Failure(StatusCode::kUnavailable, true)), ToolOutcome::kUnknown);
  EXPECT_EQ(outcome(Reply(502)), ToolOutcome::kUnknown);
  EXPECT_EQ(outcome(Reply(504)), ToolOutcome::kUnknown);
  EXPECT_EQ(outcome(Failure(StatusCode::kDeadlineExceeded, false)), ToolOutcome::kFailed);
  EXPECT_EQ(outcome(Failure(StatusCode::kUnavailable, false)), ToolOutcome::kFailed);
  EXPECT_EQ(outcome(Reply(500)), ToolOutcome::kFailed);
}

TEST(WebhookVerdict, SaysThatALongAnswerWasDropped) {
  HttpReply reply = Failure(absl::StatusCode::kResourceExhausted, true);
  reply.head.status = 200;
  const WebhookVerdict verdict = JudgeWebhookReply(reply);
  EXPECT_EQ(verdict.result.outcome, ToolOutcome::kFailed);
  EXPECT_EQ(verdict.result.detail, "answer_too_long");
  EXPECT_FALSE(verdict.may_pass);
}

TEST(WebhookBackOff, DoublesUnlessTheReplyAsksForATime) {
  HttpReplyHead head;
  EXPECT_EQ(WebhookBackOff(head, 2), milliseconds(500));
  EXPECT_EQ(WebhookBackOff(head, 3), seconds(1));
  EXPECT_EQ(WebhookBackOff(head, 20), seconds(8));
  head.headers = {{"Retry-After", "3"}};
  EXPECT_EQ(WebhookBackOff(head, 2), seconds(3));
  head.headers = {{"Retry-After", "3600"}};
  EXPECT_EQ(WebhookBackOff(head, 2), milliseconds(500));
}

}  // namespace
}  // namespace voicebridge::worker::test

// The Responses API over a real connection: streams, replies, deadlines.
#include <gmock/gmock.h>

#include "bridge_worker/interview/http_responses_client.h"
#include "tests/component/interview/http_fixture.h"

namespace voicebridge::worker::test {
namespace {

using Outcome = ResponsesAnswer::Outcome;

constexpr std::string_view kDone =
    R"({"type":"response.completed","response":{"status":"completed","output":[{"type":"message",)"
    R"("content":[{"type":"output_text","text":"{\"level\":\"B1\"}"}]}]}})";

constexpr char kTraceparent[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

class Responses : public HttpTest {
 protected:
  ResponsesAnswer Ask(Duration budget = seconds(10)) {
    auto client = MakeHttpResponsesClient(*ParseUrl(UrlText("/v1/responses")), key_, "");
    EXPECT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
    return Await(client_->Create(R"({"model":"gpt-x"})", kTraceparent, In(budget)));
  }

  void Stream(std::vector<std::string> pieces, bool hangs = false) {
    service.respond = [pieces, hangs](const HttpRequest&) {
      HttpResponse response;
      response.content_type = "text/event-stream; charset=utf-8";
      response.more = std::make_shared<Pieces>(pieces, hangs);
      return response;
    };
  }

  void Reply(unsigned status, std::string body, HttpHeaders headers = {}) {
    service.respond = [=](const HttpRequest&) {
      HttpResponse response;
      response.status = status;
      response.content_type = "application/json";
      response.body = body;
      response.headers = headers;
      return response;
    };
  }

  ChangingSecret key_{Secret("sk-test")};

 private:
  std::unique_ptr<ResponsesClient> client_;
};

TEST_F(Responses, ReadsAStream) {
  const std::string stream = "event: response.completed\ndata: " + std::string(kDone) + "\n\n";
  Stream({"event: response.created\ndata: {\"type\":\"response.created\"}\n", "\n",
          stream.substr(0, 70), stream.substr(70)},
         true);  // The end of the connection is not waited for.
  const ResponsesAnswer answer = Ask();
  EXPECT_EQ(answer.outcome, Outcome::kText) << answer.detail;
  EXPECT_EQ(answer.text, R"({"level":"B1"})");
  const HttpRequest& request = service.requests.at(0);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.path, "/v1/responses");
  EXPECT_EQ(request.Header("authorization"), "Bearer sk-test");
  EXPECT_EQ(request.Header("content-type"), "application/json");
  EXPECT_EQ(request.Header("accept"), "text/event-stream");
  EXPECT_EQ(request.Header("traceparent"), kTraceparent);
  EXPECT_EQ(request.body, R"({"model":"gpt-x"})");
}

TEST_F(Responses, TakesAReplyThatIsNotStreamed) {
  const std::string_view response = R"({"status":"completed","output":[{"content":[)"
                                    R"({"type":"output_text","text":"whole"}]}]})";
  Reply(200, std::string(response));
  EXPECT_EQ(Ask().text, "whole");
  Reply(200, "<html>");
  EXPECT_EQ(Ask().detail, "malformed_reply");
}

TEST_F(Responses, AStreamThatEndsEarlyMayBeTriedAgain) {
  Stream({"data: {\"type\":\"response.output_text.delta\",\"delta\":\"x\"}\n\n"});
  const ResponsesAnswer answer = Ask();
  EXPECT_EQ(answer.outcome, Outcome::kUnavailable);
  EXPECT_EQ(answer.detail, "stream_ended_early");
}

TEST_F(Responses, AStreamThatHangsEndsAtTheDeadline) {
  Stream({"data: {\"type\":\"response.created\"}\n\n"}, true);
  const ResponsesAnswer answer = Ask(milliseconds(80));
  EXPECT_EQ(answer.outcome, Outcome::kUnavailable);
  EXPECT_EQ(answer.detail, "timeout");
}

TEST_F(Responses, AnEventWithoutEndIsNotCollectedForEver) {
  Stream(std::vector<std::string>(90, "data: " + std::string(64U << 10U, 'x')), true);
  EXPECT_EQ(Ask().detail, "reply_too_long");
}

TEST_F(Responses, ReadsAnErrorWithItsHeaders) {
  Reply(429, R"({"error":{"code":"rate_limit_exceeded","message":"m"}})",
        {{"Retry-After", "2"}, {"x-request-id", "req_7"}});
  const ResponsesAnswer limited = Ask();
  EXPECT_EQ(limited.outcome, Outcome::kUnavailable);
  EXPECT_EQ(limited.retry_after, seconds(2));
  EXPECT_EQ(limited.detail, "http_429 rate_limit_exceeded req_7");
  Reply(401, R"({"error":{"code":"invalid_api_key","message":"m"}})");
  EXPECT_EQ(Ask().outcome, Outcome::kRejected);
}

TEST_F(Responses, AnUnreachableServiceMayBeTriedAgain) {
  net::post(io, [this] { server->StopAccepting(); });
  RunWhile([this] { return io.poll() > 0; });
  const ResponsesAnswer answer = Ask();
  EXPECT_EQ(answer.outcome, Outcome::kUnavailable);
  EXPECT_EQ(answer.detail, "connection");
}

TEST(ResponsesUrl, IsPlainOnLoopbackOnly) {
  const ChangingSecret key(Secret("k"));
  const auto make = [&key](std::string_view url) {
    return MakeHttpResponsesClient(*ParseUrl(url), key, "").ok();
  };
  EXPECT_TRUE(make("https://api.openai.com/v1/responses"));
  EXPECT_TRUE(make("http://127.0.0.1:1/v1/responses"));
  EXPECT_FALSE(make("http://api.openai.com/v1/responses"));
  EXPECT_FALSE(make("wss://api.openai.com/v1/responses"));
}

}  // namespace
}  // namespace voicebridge::worker::test

#include "bridge_worker/interview/http_responses_client.h"

#include <utility>

#include "bridge_worker/interview/responses_error.h"
#include "bridge_worker/interview/responses_stream.h"
#include "bridge_worker/interview/sse_parser.h"
#include "common/core/status.h"
#include "common/http/http_client.h"
#include "common/json/json.h"

namespace voicebridge::worker {
namespace {

// The whole stream: each token comes as an event of its own, then the text again, several times.
constexpr std::size_t kStreamBytesMax = 16U << 20U;
constexpr std::size_t kEventBytesMax = 4U << 20U;

ResponsesAnswer Unavailable(std::string detail) {
  ResponsesAnswer answer;
  answer.detail = std::move(detail);
  return answer;
}

ResponsesAnswer Broken(const absl::Status& status) {
  if (status.code() == absl::StatusCode::kDeadlineExceeded) {
    return Unavailable("timeout");
  }
  return Unavailable(status.code() == absl::StatusCode::kResourceExhausted ? "reply_too_long"
                                                                           : "connection");
}

class HttpResponsesClient final : public ResponsesClient {
 public:
  HttpResponsesClient(Url url, const ChangingSecret& api_key, std::string ca_file)
      : url_(std::move(url)), api_key_(api_key), ca_file_(std::move(ca_file)) {}

  Awaitable<ResponsesAnswer> Create(std::string body, std::string traceparent,
                                    Deadline deadline) override {
    HttpClientRequest request;
    request.method = "POST";
    request.url = url_;
    request.headers.emplace_back("User-Agent", "voicebridge-worker/" VOICEBRIDGE_VERSION);
    request.headers.emplace_back("Content-Type", "application/json");
    request.headers.emplace_back("Accept", "text/event-stream");
    request.headers.emplace_back("traceparent", std::move(traceparent));
    request.bearer = api_key_.Now();
    request.body = std::move(body);
    request.ca_file = ca_file_;
    request.body_bytes_max = kStreamBytesMax;
    OpenedReply opened = co_await OpenHttp(std::move(request), deadline);
    if (opened.reply == nullptr) {
      co_return Broken(opened.status);
    }
    co_return co_await ReadReply(*opened.reply);
  }

 private:
  static Awaitable<ResponsesAnswer> ReadReply(HttpReplyReader& reply) {
    const HttpReplyHead& head = reply.head();
    const std::string_view type = head.Header("content-type").value_or("");
    if (head.status == 200 && type.starts_with("text/event-stream")) {
      co_return co_await ReadEvents(reply);
    }
    const absl::StatusOr<std::string> body = co_await ReadBody(reply);
    if (head.status != 200) {
      co_return ReadResponsesError(head, body.value_or(""));
    }
    if (!body.ok()) {
      co_return Broken(body.status());
    }
    const absl::StatusOr<json::object> response = ParseObject(*body);
    if (!response.ok()) {
      co_return Unavailable("malformed_reply");
    }
    co_return ReadResponse(*response);
  }

  static Awaitable<ResponsesAnswer> ReadEvents(HttpReplyReader& reply) {
    SseParser events(kEventBytesMax);
    ResponsesStream stream;
    for (;;) {
      const absl::StatusOr<std::string> piece = co_await reply.Next();
      if (!piece.ok()) {
        co_return Broken(piece.status());
      }
      if (piece->empty()) {
        co_return stream.End();
      }
      events.Push(*piece);
      while (const std::optional<ServerSentEvent> event = events.Next()) {
        if (std::optional<ResponsesAnswer> answer = stream.Read(event->data)) {
          co_return *std::move(answer);
        }
      }
      if (events.overflowed()) {
        co_return Unavailable("reply_too_long");
      }
    }
  }

  static Awaitable<absl::StatusOr<std::string>> ReadBody(HttpReplyReader& reply) {
    std::string body;
    for (;;) {
      const absl::StatusOr<std::string> piece = co_await reply.Next();
      if (!piece.ok()) {
        co_return piece.status();
      }
      if (piece->empty()) {
        co_return std::move(body);
      }
      body += *piece;
    }
  }

  const Url url_;
  const ChangingSecret& api_key_;
  const std::string ca_file_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ResponsesClient>> MakeHttpResponsesClient(
    Url url, const ChangingSecret& api_key, std::string ca_file) {
  if (url.scheme != "https" && !(url.scheme == "http" && url.IsLoopback())) {
    return InvalidArgument("--responses_url: expected https://, or http:// on loopback");
  }
  return std::make_unique<HttpResponsesClient>(std::move(url), api_key, std::move(ca_file));
}

}  // namespace voicebridge::worker

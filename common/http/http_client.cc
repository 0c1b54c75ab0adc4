#include "common/http/http_client.h"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <utility>

#include "common/core/status.h"
#include "common/websocket/client_transport.h"
#include "common/websocket/client_upgrade.h"

namespace voicebridge {
namespace {

namespace http = boost::beast::http;

constexpr std::size_t kReplyReadSize = 16U << 10U;

absl::Status CheckRequest(const HttpClientRequest& request) {
  if (request.url.scheme != "http" && request.url.scheme != "https") {
    return InvalidArgument("URL: scheme '{}' is not http or https", request.url.scheme);
  }
  if (!IsHeaderValue(request.bearer.Reveal())) {
    return InvalidArgument("bearer token: contains a line break or another control character");
  }
  for (const auto& [name, value] : request.headers) {
    if (absl::Status status = CheckHeader(name, value); !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

std::string RequestHead(const HttpClientRequest& request) {
  std::string head = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n",
                                 request.method, request.url.target, HostHeader(request.url));
  if (!request.bearer.empty()) {
    head += "Authorization: Bearer " + request.bearer.Reveal() + "\r\n";
  }
  for (const auto& [name, value] : request.headers) {
    head += fmt::format("{}: {}\r\n", name, value);
  }
  if (request.method != "GET") {
    head += fmt::format("Content-Length: {}\r\n", request.body.size());
  }
  return head + "\r\n";
}

class ReplyReader final : public HttpReplyReader {
 public:
  ReplyReader(std::unique_ptr<UpgradableConnection> connection, std::size_t body_bytes_max)
      : connection_(std::move(connection)),
        body_bytes_max_(body_bytes_max),
        buffer_(limits::kHttpHeaderMax + kReplyReadSize) {}

  Awaitable<absl::Status> Send(std::string head, std::string body) {
    const bool written = co_await connection_->WriteAll(head, body);
    co_return written ? absl::OkStatus() : Broken();
  }

  Awaitable<absl::Status> ReadHead();

  const HttpReplyHead& head() const override { return head_; }
  Awaitable<absl::StatusOr<std::string>> Next() override;

 private:
  using Parser = http::response_parser<http::string_body>;

  void ExpectReply();
  void TakeHead();
  bool IsInterim() const { return parser_->get().result_int() / 100 == 1; }
  Awaitable<absl::Status> Feed();
  absl::Status Parse();
  absl::Status Broken() const;

  std::unique_ptr<UpgradableConnection> connection_;
  const std::size_t body_bytes_max_;
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  bool more_needed_ = true;     // The parser can do nothing with what is in the buffer.
  std::size_t head_bytes_ = 0;  // Over all replies, interim ones included.
  bool too_long_ = false;       // Perhaps told by the head already, which is still worth reading.
  HttpReplyHead head_;
};

void ReplyReader::ExpectReply() {
  parser_.emplace();
  parser_->header_limit(limits::kHttpHeaderMax);
  parser_->body_limit(body_bytes_max_);
  parser_->eager(true);
}

Awaitable<absl::Status> ReplyReader::ReadHead() {
  ExpectReply();
  for (;;) {
    while (!parser_->is_header_done() && !too_long_) {
      const absl::Status status = co_await Feed();
      if (!status.ok()) {
        co_return status;
      }
    }
    if (!IsInterim()) {
      TakeHead();
      co_return absl::OkStatus();
    }
    if (parser_->get().result() == http::status::switching_protocols) {
      co_return Unavailable("the peer switched protocols without being asked to");
    }
    ExpectReply();
    more_needed_ = buffer_.size() == 0;
  }
}

void ReplyReader::TakeHead() {
  const auto& message = parser_->get();
  head_.status = message.result_int();
  for (const auto& field : message) {
    head_.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
  }
}

Awaitable<absl::StatusOr<std::string>> ReplyReader::Next() {
  std::string& body = parser_->get().body();
  while (!too_long_ && body.empty() && !parser_->is_done()) {
    const absl::Status status = co_await Feed();
    if (!status.ok()) {
      co_return status;
    }
  }
  if (too_long_) {
    co_return MakeStatus(absl::StatusCode::kResourceExhausted,
                         "the peer's reply has more than {} bytes", body_bytes_max_);
  }
  co_return std::exchange(body, {});
}

// Gives the parser what is in the buffer, after a read if that was not enough before.
Awaitable<absl::Status> ReplyReader::Feed() {
  if (!more_needed_) {
    co_return Parse();
  }
  if (buffer_.size() >= limits::kHttpHeaderMax || head_bytes_ >= limits::kHttpHeaderMax) {
    co_return Unavailable("the peer's reply has a head of more than {} bytes",
                          limits::kHttpHeaderMax);
  }
  const std::size_t bytes = co_await connection_->ReadSome(buffer_.prepare(kReplyReadSize));
  const bool cancelled = co_await IsCancelled();
  if (bytes == 0) {
    boost::system::error_code error;
    // The end of a body that has no length of its own; Beast would take no reply for one, too.
    const bool may_end = parser_->is_header_done() && !cancelled && !connection_->OutOfTime();
    if (may_end) {
      parser_->put_eof(error);
    }
    const bool complete = may_end && !error;
    co_return complete ? absl::OkStatus() : Broken();
  }
  buffer_.commit(bytes);
  co_return Parse();
}

absl::Status ReplyReader::Parse() {
  boost::system::error_code error;
  const bool in_head = !parser_->is_header_done();
  const std::size_t used = parser_->put(buffer_.data(), error);
  buffer_.consume(used);
  if (in_head && !parser_->is_header_done()) {
    head_bytes_ += used;
  }
  more_needed_ = true;
  if (error == http::error::body_limit) {
    too_long_ = true;
    return absl::OkStatus();
  }
  if (error && error != http::error::need_more) {
    return Unavailable("the peer's reply is not HTTP: {}", error.message());
  }
  return absl::OkStatus();
}

absl::Status ReplyReader::Broken() const {
  return connection_->OutOfTime()
             ? DeadlineExceeded("the peer did not answer in time")
             : Unavailable("the connection ended before the reply was complete");
}

}  // namespace

Awaitable<OpenedReply> OpenHttp(HttpClientRequest request, Deadline deadline) {
  OpenedReply result;
  result.status = CheckRequest(request);
  if (!result.status.ok()) {
    co_return result;
  }
  const ConnectionOptions options;
  auto connection = co_await OpenTransport(request.url, request.ca_file, options, deadline);
  if (!connection.ok()) {
    result.status = connection.status();
    co_return result;
  }
  auto reply = std::make_unique<ReplyReader>(*std::move(connection), request.body_bytes_max);
  std::string head = RequestHead(request);
  result.request_sent = true;
  result.status = co_await reply->Send(std::move(head), std::move(request.body));
  if (result.status.ok()) {
    result.status = co_await reply->ReadHead();
  }
  if (result.status.ok()) {
    result.reply = std::move(reply);
  }
  co_return result;
}

Awaitable<HttpReply> FetchHttp(HttpClientRequest request, Deadline deadline) {
  OpenedReply opened = co_await OpenHttp(std::move(request), deadline);
  HttpReply result;
  result.status = opened.status;
  result.request_sent = opened.request_sent;
  if (opened.reply == nullptr) {
    co_return result;
  }
  result.head = opened.reply->head();
  bool complete = false;
  while (!complete) {
    const absl::StatusOr<std::string> piece = co_await opened.reply->Next();
    if (!piece.ok()) {
      result.status = piece.status();
      co_return result;
    }
    result.body += *piece;
    complete = piece->empty();
  }
  co_return result;
}

}  // namespace voicebridge

// The HTTP client against our server, and against peers that are not as they should be.
#include "common/http/http_client.h"

#include <gmock/gmock.h>

#include "tests/component/websocket/certificate.h"
#include "tests/component/websocket/websocket_fixture.h"

namespace voicebridge::test {
namespace {

using absl::StatusCode;
using net::ip::tcp;
using testing::HasSubstr;
using testing::Not;

class HttpClient : public WebSocketTest {
 protected:
  HttpClientRequest RequestFor(std::string_view path, std::string_view scheme = "http") const {
    HttpClientRequest request;
    const auto url = ParseUrl(std::string(scheme) + "://" + address + std::string(path));
    EXPECT_TRUE(url.ok()) << url.status();
    request.url = *url;
    return request;
  }

  Awaitable<HttpReply> Fetch(HttpClientRequest request, Duration budget = seconds(10)) {
    co_return co_await FetchHttp(std::move(request), In(budget));
  }

  Awaitable<void> PostAndRead() {
    HttpClientRequest request = RequestFor("/echo?a=b");
    request.method = "POST";
    request.body = "hello";
    request.bearer = Secret("key");
    request.headers.emplace_back("X-One", "1");
    const HttpReply reply = co_await Fetch(std::move(request));
    EXPECT_TRUE(reply.status.ok()) << reply.status;
    EXPECT_EQ(reply.head.status, 200U);
    EXPECT_EQ(reply.body, "hello");
    EXPECT_EQ(reply.head.Header("x-test"), "yes");
    const HttpRequest& seen = service.requests.at(0);
    EXPECT_EQ(seen.method, "POST");
    EXPECT_EQ(seen.Header("authorization"), "Bearer key");
    EXPECT_EQ(seen.Header("x-one"), "1");
    EXPECT_EQ(seen.Header("host"), address);
    EXPECT_EQ(seen.Query("a"), "b");
  }

  Awaitable<void> ReadInPieces() {
    HttpClientRequest request = RequestFor("/pieces");
    const OpenedReply opened = co_await OpenHttp(std::move(request), In(seconds(10)));
    EXPECT_TRUE(opened.status.ok()) << opened.status;
    std::string body;
    absl::StatusOr<std::string> piece = co_await opened.reply->Next();
    while (piece.ok() && !piece->empty()) {
      body += *piece;
      piece = co_await opened.reply->Next();
    }
    EXPECT_TRUE(piece.ok()) << piece.status();
    EXPECT_EQ(body, "/pieces" + std::string(60, 'p'));
  }

  // Plays the server: answers one request with these bytes and closes.
  Awaitable<void> AnswerWith(tcp::acceptor& acceptor, std::string bytes) {
    auto [error, socket] = co_await acceptor.async_accept(kNoThrow);
    RawPeer peer(std::move(socket));
    const std::string head = co_await peer.ReceiveHeader();
    co_await peer.Send(std::move(bytes));
  }

  // The reply to a server that sends these bytes.
  HttpReply ReplyTo(std::string bytes, std::size_t body_bytes_max = 1024) {
    tcp::acceptor acceptor = ListenRaw();
    HttpReply reply;
    Spawn(AnswerWith(acceptor, std::move(bytes)));
    Run(FetchInto(body_bytes_max, reply));
    return reply;
  }

  Awaitable<void> FetchInto(std::size_t body_bytes_max, HttpReply& reply) {
    HttpClientRequest request = RequestFor("/");
    request.body_bytes_max = body_bytes_max;
    reply = co_await Fetch(std::move(request));
  }

  Awaitable<void> FetchFor(HttpClientRequest request, Duration budget, HttpReply& reply) {
    reply = co_await Fetch(std::move(request), budget);
  }

  Awaitable<void> Refuse(HttpClientRequest request, StatusCode code) {
    const HttpReply reply = co_await Fetch(std::move(request));
    EXPECT_EQ(reply.status.code(), code) << reply.status;
    EXPECT_FALSE(reply.request_sent);
  }
};

TEST_F(HttpClient, SendsARequestAndReadsTheReply) {
  StartServer();
  Run(PostAndRead());
}

TEST_F(HttpClient, ReadsABodyInPieces) {
  StartServer();
  Run(ReadInPieces());
}

TEST_F(HttpClient, VerifiesTheCertificate) {
  const Certificate certificate = MakeCertificate("IP:127.0.0.1");
  server_options.certificate = certificate.pair;
  StartServer();
  HttpClientRequest trusting = RequestFor("/tls", "https");
  trusting.ca_file = certificate.cert_file;
  HttpReply reply;
  Run(FetchFor(std::move(trusting), seconds(10), reply));
  EXPECT_TRUE(reply.status.ok()) << reply.status;
  EXPECT_EQ(reply.body, "/tls");
  Run(Refuse(RequestFor("/tls", "https"), StatusCode::kUnavailable));
  EXPECT_EQ(service.requests.size(), 1U);
}

TEST_F(HttpClient, VerifiesTheNameInTheCertificate) {
  const Certificate certificate = MakeCertificate("DNS:other.test");
  server_options.certificate = certificate.pair;
  StartServer();
  HttpClientRequest request = RequestFor("/tls", "https");
  request.ca_file = certificate.cert_file;
  Run(Refuse(std::move(request), StatusCode::kUnavailable));
}

TEST_F(HttpClient, RefusesWhatCannotBeSent) {
  StartServer();
  Run(Refuse(RequestFor("/", "ws"), StatusCode::kInvalidArgument));
  HttpClientRequest split = RequestFor("/");
  split.headers.emplace_back("X-One", "1\r\nX-Two: 2");
  Run(Refuse(std::move(split), StatusCode::kInvalidArgument));
  HttpClientRequest bearer = RequestFor("/");
  bearer.bearer = Secret("a\nb");
  Run(Refuse(std::move(bearer), StatusCode::kInvalidArgument));
  EXPECT_TRUE(service.requests.empty());
}

TEST_F(HttpClient, SkipsInterimReplies) {
  const HttpReply reply = ReplyTo(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_TRUE(reply.status.ok()) << reply.status;
  EXPECT_EQ(reply.head.status, 200U);
  EXPECT_EQ(reply.head.Header("link"), std::nullopt);
  EXPECT_EQ(reply.body, "ok");
}

TEST_F(HttpClient, ReadsABodyUpToTheEndOfTheConnection) {
  const HttpReply reply = ReplyTo("HTTP/1.1 200 OK\r\n\r\nall of it");
  EXPECT_TRUE(reply.status.ok()) << reply.status;
  EXPECT_EQ(reply.body, "all of it");
}

TEST_F(HttpClient, ReadsNoBodyWhereThereIsNone) {
  const HttpReply reply = ReplyTo("HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_TRUE(reply.status.ok()) << reply.status;
  EXPECT_EQ(reply.body, "");
}

TEST_F(HttpClient, KnowsACutOffBody) {
  EXPECT_EQ(ReplyTo("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf").status.code(),
            StatusCode::kUnavailable);
  EXPECT_EQ(
      ReplyTo("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n").status.code(),
      StatusCode::kUnavailable);
  EXPECT_EQ(ReplyTo("").status.code(), StatusCode::kUnavailable);
}

TEST_F(HttpClient, LimitsBodyAndHead) {
  const HttpReply announced = ReplyTo("HTTP/1.1 201 OK\r\nContent-Length: 9\r\n\r\n123456789", 8);
  EXPECT_EQ(announced.status.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(announced.head.status, 201U);
  EXPECT_EQ(ReplyTo("HTTP/1.1 200 OK\r\n\r\n123456789", 8).status.code(),
            StatusCode::kResourceExhausted);
  EXPECT_EQ(ReplyTo("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "5\r\n12345\r\n5\r\n67890\r\n0\r\n\r\n",
                    8)
                .status.code(),
            StatusCode::kResourceExhausted);
  std::string head = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 2000; ++i) {
    head += "X-Header: 0123456789\r\n";
  }
  EXPECT_EQ(ReplyTo(head + "\r\n").status.code(), StatusCode::kUnavailable);
  EXPECT_EQ(ReplyTo(std::string(100'000, 'x')).status.code(), StatusCode::kUnavailable);
}

TEST_F(HttpClient, RefusesWhatIsNotHttp) {
  EXPECT_THAT(std::string(ReplyTo("SSH-2.0-nonsense\r\n\r\n").status.message()),
              HasSubstr("is not HTTP"));
  EXPECT_EQ(ReplyTo("HTTP/1.1 101 Switching Protocols\r\n\r\n").status.code(),
            StatusCode::kUnavailable);
}

TEST_F(HttpClient, GivesUpAtTheDeadline) {
  tcp::acceptor acceptor = ListenRaw();  // Accepts by itself, and never answers.
  const TimePoint begun = SystemClock().Now();
  HttpReply reply;
  Run(FetchFor(RequestFor("/"), milliseconds(60), reply));
  EXPECT_EQ(reply.status.code(), StatusCode::kDeadlineExceeded) << reply.status;
  EXPECT_TRUE(reply.request_sent);
  EXPECT_LT(SystemClock().Now() - begun, seconds(5));
}

TEST_F(HttpClient, SaysWhenNothingWasSent) {
  std::string closed;
  {
    tcp::acceptor acceptor = ListenRaw();
    closed = address;
  }
  Run(Refuse(RequestFor("/"), StatusCode::kUnavailable));
}

TEST_F(HttpClient, EndsAtOnceWhenCancelled) {
  tcp::acceptor acceptor = ListenRaw();
  HttpReply reply;
  HttpClientRequest request = RequestFor("/");
  Spawn(FetchFor(std::move(request), hours(1), reply));
  Run(Poll([&acceptor] {
    boost::system::error_code error;
    acceptor.non_blocking(true);
    tcp::socket socket = acceptor.accept(error);
    return !error;
  }));
  const TimePoint begun = SystemClock().Now();
  TearDown();
  EXPECT_LT(SystemClock().Now() - begun, seconds(5));
  EXPECT_FALSE(reply.status.ok());
}

}  // namespace
}  // namespace voicebridge::test

// Opening connections, plain and TLS, and what goes wrong before they are open.
#include <gmock/gmock.h>

#include "tests/component/websocket/certificate.h"
#include "tests/component/websocket/websocket_fixture.h"

namespace voicebridge::test {
namespace {

using net::ip::tcp;
using testing::HasSubstr;

class Connecting : public WebSocketTest {
 protected:
  Awaitable<ConnectResult> Open(ConnectOptions options) {
    const Deadline deadline = In(seconds(20));
    co_return co_await ConnectWebSocket(std::move(options), deadline);
  }

  Awaitable<void> ExpectFailure(ConnectOptions options, Duration budget, absl::StatusCode code,
                                std::string part, unsigned http_status) {
    const ConnectResult result = co_await ConnectWebSocket(std::move(options), In(budget));
    EXPECT_EQ(result.connection, nullptr);
    EXPECT_EQ(result.failure.status.code(), code) << result.failure.status;
    EXPECT_THAT(std::string(result.failure.status.message()), HasSubstr(part));
    EXPECT_EQ(result.failure.http_status, http_status);
  }

  Awaitable<void> ExpectEcho(ConnectOptions options) {
    const ConnectResult result = co_await Open(std::move(options));
    EXPECT_TRUE(result.failure.status.ok()) << result.failure.status;
    if (!result.connection) {
      co_return;
    }
    const std::string message(100000, 'm');
    const absl::Status written = co_await result.connection->WriteText(message, In(seconds(20)));
    EXPECT_TRUE(written.ok()) << written;
    const Incoming incoming = co_await result.connection->ReadUntilStopped();
    EXPECT_EQ(incoming.payload, message);
    co_await result.connection->Close(4002, "done", In(seconds(20)));
    const auto has_ended = [this] { return !service.ended.empty(); };
    co_await Poll(has_ended);
    if (service.ended.empty()) {
      co_return;  // The test's time is over.
    }
    EXPECT_EQ(service.ended.front().close_code, 4002);
  }

  // Plays the server: takes one request, and answers it with this.
  Awaitable<void> AnswerOnce(tcp::acceptor& acceptor, std::string header_lines, std::string more) {
    auto [error, socket] = co_await acceptor.async_accept(kNoThrow);
    EXPECT_FALSE(error);
    raw_ = std::make_unique<RawPeer>(std::move(socket));
    request_ = co_await raw_->ReceiveHeader();
    const std::string answer = UpgradeResponse(request_, header_lines) + more;
    co_await raw_->Send(answer);
  }

  Awaitable<void> ExpectRequest() {
    tcp::acceptor acceptor = ListenRaw();
    Spawn(AnswerOnce(acceptor, "Sec-WebSocket-Protocol: realtime\r\n", ""));
    ConnectOptions options = OptionsFor("/v1/realtime?model=m");
    options.bearer = Secret("sk-test");
    options.subprotocol = "realtime";
    options.user_agent = "tester/1";
    options.headers.emplace_back("OpenAI-Beta", "x=y");
    const ConnectResult result = co_await Open(std::move(options));
    EXPECT_TRUE(result.failure.status.ok()) << result.failure.status;
    EXPECT_THAT(request_, HasSubstr("GET /v1/realtime?model=m HTTP/1.1\r\n"));
    EXPECT_THAT(request_, HasSubstr("Host: " + address + "\r\n"));
    EXPECT_THAT(request_, HasSubstr("Authorization: Bearer sk-test\r\n"));
    EXPECT_THAT(request_, HasSubstr("User-Agent: tester/1\r\n"));
    EXPECT_THAT(request_, HasSubstr("Sec-WebSocket-Protocol: realtime\r\n"));
    EXPECT_THAT(request_, HasSubstr("OpenAI-Beta: x=y\r\n"));
  }

  Awaitable<void> ExpectWrongSubprotocol() {
    tcp::acceptor acceptor = ListenRaw();
    Spawn(AnswerOnce(acceptor, "Sec-WebSocket-Protocol: other\r\n", ""));
    ConnectOptions options = OptionsFor("/");
    options.subprotocol = "realtime";
    co_await ExpectFailure(std::move(options), seconds(20), absl::StatusCode::kUnavailable,
                           "subprotocol 'other'", 0);
  }

  Awaitable<void> ExpectMessages(std::string header_lines, std::string first, std::string second) {
    tcp::acceptor acceptor = ListenRaw();
    std::string frames = Frame(kText, first, kFromServer) + Frame(kText, second, kFromServer);
    Spawn(AnswerOnce(acceptor, std::move(header_lines), std::move(frames)));
    const std::unique_ptr<Connection> connection = co_await Connect("/");
    if (!connection) {
      co_return;
    }
    Incoming incoming = co_await connection->ReadUntilStopped();
    EXPECT_EQ(incoming.payload, first);
    incoming = co_await connection->ReadUntilStopped();
    EXPECT_EQ(incoming.payload, second);
  }

  // A server that takes the connection and says nothing.
  Awaitable<void> ExpectDeadline(std::string scheme) {
    tcp::acceptor acceptor = ListenRaw();
    ConnectOptions options = OptionsFor("/", scheme);
    co_await ExpectFailure(std::move(options), milliseconds(100),
                           absl::StatusCode::kDeadlineExceeded, "long", 0);
  }

  Awaitable<void> ExpectRefusedConnection() {
    tcp::acceptor acceptor = ListenRaw();
    acceptor.close();
    ConnectOptions options = OptionsFor("/");
    co_await ExpectFailure(std::move(options), seconds(20), absl::StatusCode::kUnavailable,
                           "cannot connect", 0);
  }

  // Our pings are answered by a peer that lives, and notice one that does not.
  Awaitable<void> ExpectPings() {
    tcp::acceptor acceptor = ListenRaw();
    Spawn(AnswerOnce(acceptor, "", ""));
    ConnectOptions options = OptionsFor("/");
    options.ping_interval = milliseconds(50);
    const ConnectResult result = co_await Open(std::move(options));
    std::optional<Incoming> end;
    Spawn(ReadToEnd(*result.connection, end));
    for (int i = 0; i < 5; ++i) {
      const std::string ping = co_await raw_->Receive(6);
      EXPECT_EQ(static_cast<unsigned char>(ping[0]), 0x89);
      co_await raw_->Send(Frame(kPong, "", kFromServer));
      EXPECT_FALSE(end);
    }
    const auto has_end = [&] { return end.has_value(); };
    co_await Poll(has_end);
    EXPECT_EQ(end->close_code, 1006);
  }

  void StartTlsServer(const Certificate& certificate) {
    server_options.certificate = certificate.pair;
    StartServer();
  }

  ConnectOptions Trusting(std::string ca_file) const {
    ConnectOptions options = OptionsFor("/echo", "wss");
    options.ca_file = std::move(ca_file);
    return options;
  }

  std::unique_ptr<RawPeer> raw_;
  std::string request_;
};

TEST_F(Connecting, SendsWhatTheOptionsSay) { Run(ExpectRequest()); }

TEST_F(Connecting, ReportsTheStatusOfARefusedUpgrade) {
  StartServer();
  Run(ExpectFailure(OptionsFor("/refuse"), seconds(20), absl::StatusCode::kUnavailable, "HTTP 403",
                    403));
}

TEST_F(Connecting, NegotiatesTheSubprotocol) {
  StartServer();
  ConnectOptions options = OptionsFor("/echo");
  options.subprotocol = "realtime";
  Run(ExpectEcho(std::move(options)));
}

TEST_F(Connecting, GoesOnWhenTheOfferedSubprotocolIsNotAnswered) {
  StartServer();
  ConnectOptions options = OptionsFor("/echo");
  options.subprotocol = "something else";
  Run(ExpectEcho(std::move(options)));
}

TEST_F(Connecting, RefusesASubprotocolThatWasNotOffered) { Run(ExpectWrongSubprotocol()); }

// Beast alone fails when the header is longer than its buffer of 1536 bytes and what it read along
// with the header's end is so, too. Which lengths that are depends on how its buffers grow.
TEST_F(Connecting, ReadsMessagesThatComeWithALongHeader) {
  for (std::size_t length = 1000; length < 7500 && !HasFailure(); length += 250) {
    const std::string cookie = "Set-Cookie: " + std::string(length, 'c') + "\r\n";
    Run(ExpectMessages(cookie, std::string(9000, 'f'), "second"));
  }
}

TEST_F(Connecting, ReadsMessagesThatComeWithAShortHeader) {
  Run(ExpectMessages("", std::string(5000, 'f'), "second"));
}

TEST_F(Connecting, EndsAtTheDeadlineWhenTheServerIsMute) { Run(ExpectDeadline("ws")); }

TEST_F(Connecting, EndsAtTheDeadlineWhenTheTlsServerIsMute) { Run(ExpectDeadline("wss")); }

TEST_F(Connecting, SaysThatNobodyListens) { Run(ExpectRefusedConnection()); }

TEST_F(Connecting, PingsNoticeAPeerThatIsGone) { Run(ExpectPings()); }

TEST_F(Connecting, ResolvesNames) {
  StartServer();
  ConnectOptions options = OptionsFor("/echo");
  options.url.host = "localhost";
  Run(ExpectEcho(std::move(options)));
}

TEST_F(Connecting, SaysThatANameDoesNotResolve) {
  StartServer();
  ConnectOptions options = OptionsFor("/echo");
  options.url.host = "no-such-host.invalid";
  Run(ExpectFailure(std::move(options), seconds(20), absl::StatusCode::kUnavailable,
                    "cannot resolve 'no-such-host.invalid'", 0));
}

TEST_F(Connecting, RefusesATokenThatWouldBreakTheHeader) {
  StartServer();
  ConnectOptions options = OptionsFor("/echo");
  options.bearer = Secret("sk-test\n");
  Run(ExpectFailure(std::move(options), seconds(20), absl::StatusCode::kInvalidArgument,
                    "bearer token", 0));
}

TEST_F(Connecting, OverTlsWorksWithATrustedCertificate) {
  const Certificate certificate = MakeCertificate("IP:127.0.0.1");
  StartTlsServer(certificate);
  Run(ExpectEcho(Trusting(certificate.cert_file)));
}

TEST_F(Connecting, OverTlsWorksByName) {
  const Certificate certificate = MakeCertificate("DNS:localhost");
  StartTlsServer(certificate);
  ConnectOptions options = Trusting(certificate.cert_file);
  options.url.host = "localhost";
  Run(ExpectEcho(std::move(options)));
}

TEST_F(Connecting, OverTlsFailsWithAnUnknownAuthority) {
  StartTlsServer(MakeCertificate("IP:127.0.0.1"));
  Run(ExpectFailure(Trusting(""), seconds(20), absl::StatusCode::kUnavailable, "self-signed", 0));
}

TEST_F(Connecting, OverTlsFailsWhenTheAddressIsNotTheCertificates) {
  const Certificate certificate = MakeCertificate("IP:127.0.0.2");
  StartTlsServer(certificate);
  Run(ExpectFailure(Trusting(certificate.cert_file), seconds(20), absl::StatusCode::kUnavailable,
                    "IP address mismatch", 0));
}

TEST_F(Connecting, OverTlsFailsWhenTheNameIsNotTheCertificates) {
  const Certificate certificate = MakeCertificate("DNS:other.test");
  StartTlsServer(certificate);
  ConnectOptions options = Trusting(certificate.cert_file);
  options.url.host = "localhost";
  Run(ExpectFailure(std::move(options), seconds(20), absl::StatusCode::kUnavailable,
                    "hostname mismatch", 0));
}

TEST_F(Connecting, OverTlsSaysWhichFileOfAuthoritiesIsMissing) {
  StartTlsServer(MakeCertificate("IP:127.0.0.1"));
  Run(ExpectFailure(Trusting("/nonexistent/ca.pem"), seconds(20),
                    absl::StatusCode::kInvalidArgument, "/nonexistent/ca.pem", 0));
}

TEST_F(Connecting, OverTlsToAPlainServerFails) {
  StartServer();
  Run(ExpectFailure(OptionsFor("/echo", "wss"), seconds(20), absl::StatusCode::kUnavailable, "TLS",
                    0));
}

}  // namespace
}  // namespace voicebridge::test

// The HTTP side of the server: requests, limits, upgrades that are refused, slow peers, shards.
#include <gmock/gmock.h>

#include <optional>

#include "common/core/limits.h"
#include "tests/component/websocket/certificate.h"
#include "tests/component/websocket/websocket_fixture.h"

namespace voicebridge::test {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string PostTo(std::string_view path, std::string_view body) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: t\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

class Http : public WebSocketTest {
 protected:
  // One request on a new connection, and everything that is answered to it.
  Awaitable<void> Exchange(std::string request, std::string& response) {
    RawPeer peer = co_await ConnectRaw(address);
    co_await peer.Send(std::move(request));
    response = co_await peer.ReceiveResponse();
  }

  std::string Answer(std::string request) {
    if (!server) {
      StartServer();
    }
    std::string response;
    Run(Exchange(std::move(request), response));
    return response;
  }

  Awaitable<void> KeepAlive() {
    RawPeer peer = co_await ConnectRaw(address);
    // Two at once, then one in pieces.
    co_await peer.Send("GET /a?x=%41 HTTP/1.1\r\nHost: t\r\n\r\n" + PostTo("/echo", "one"));
    EXPECT_THAT(co_await peer.ReceiveResponse(), HasSubstr("\r\n\r\n/a"));
    EXPECT_THAT(co_await peer.ReceiveResponse(), HasSubstr("\r\n\r\none"));
    co_await peer.Send("GET /b HT");
    co_await peer.Send("TP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
    const std::string last = co_await peer.ReceiveToEnd();
    EXPECT_THAT(last, HasSubstr("\r\nConnection: close\r\n"));
    EXPECT_THAT(last, HasSubstr("\r\n\r\n/b"));
    EXPECT_EQ(service.requests.size(), 3U);
    EXPECT_EQ(service.requests[0].Query("x"), "A");
    EXPECT_EQ(service.requests[0].remote_address, "127.0.0.1");
    EXPECT_EQ(service.requests[0].Header("hOST"), "t");
  }

  Awaitable<void> Head() {
    RawPeer peer = co_await ConnectRaw(address);
    co_await peer.Send("HEAD /abc HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
    const std::string response = co_await peer.ReceiveToEnd();
    EXPECT_THAT(response, HasSubstr("Content-Length: 4\r\n"));
    EXPECT_TRUE(response.ends_with("\r\n\r\n")) << response;
  }

  // Sends this and nothing more; the server ends the connection by itself.
  Awaitable<void> ExpectCut(std::string bytes) {
    RawPeer peer = co_await ConnectRaw(address);
    co_await peer.Send(std::move(bytes));
    EXPECT_EQ(co_await peer.ReceiveToEnd(), "");
    const auto is_idle = [this] { return server->connections() == 0; };
    co_await Poll(is_idle);
  }

  // Each byte comes well within the bound, all of them do not.
  Awaitable<void> SlowLoris() {
    RawPeer peer = co_await ConnectRaw(address);
    const Deadline patience = In(seconds(20));
    co_await peer.Send("GET / HTTP/1.1\r\nHost: t\r\n");
    bool goes_on = true;
    while (goes_on && server->connections() > 0 && !patience.HasPassed(SystemClock().Now())) {
      co_await peer.Send("X: y\r\n");
      goes_on = co_await SystemClock().SleepUntil(In(milliseconds(10)));
    }
    EXPECT_EQ(server->connections(), 0U);
  }

  Awaitable<void> RefusedUpgradeKeepsTheConnection() {
    RawPeer peer = co_await ConnectRaw(address);
    co_await peer.Send(UpgradeRequest("/refuse"));
    const std::string refused = co_await peer.ReceiveResponse();
    EXPECT_THAT(refused, HasSubstr("HTTP/1.1 403 Forbidden\r\n"));
    EXPECT_THAT(refused, HasSubstr(R"({"error":{"message":"not today")"));
    co_await peer.Send("GET /next HTTP/1.1\r\nHost: t\r\n\r\n");
    EXPECT_THAT(co_await peer.ReceiveResponse(), HasSubstr("\r\n\r\n/next"));
  }

  Awaitable<void> HoldTickets() {
    RawPeer peer = co_await ConnectRaw(address);
    co_await peer.Send("GET / HTTP/1.1\r\nHost: t\r\n\r\n");
    co_await peer.ReceiveResponse();
    EXPECT_EQ(service.connection_tickets, 1);
    co_await peer.Send(UpgradeRequest("/echo"));
    co_await peer.ReceiveHeader();
    const auto converses = [this] { return service.conversations == 1; };
    co_await Poll(converses);
    EXPECT_EQ(service.connection_tickets, 0) << "a connection with a conversation is none without";
    EXPECT_EQ(service.upgrade_tickets, 1);
    peer.socket.close();
    const auto is_over = [this] { return service.upgrade_tickets == 0; };
    co_await Poll(is_over);
  }

  // Resets the connection while the service makes up its mind.
  Awaitable<void> LeaveBeforeTheUpgradeIsAnswered() {
    RawPeer peer = co_await ConnectRaw(address);
    co_await peer.Send(UpgradeRequest("/late"));
    peer.socket.set_option(net::socket_base::linger(true, 0));
    peer.socket.close();
    const auto is_gone = [this] {
      return service.upgrades_accepted == 1 && server->connections() == 0;
    };
    co_await Poll(is_gone);
    EXPECT_EQ(service.upgrade_tickets, 0);
    EXPECT_EQ(service.connection_tickets, 0);
    EXPECT_EQ(service.conversations, 0);
  }

  // The second of two that are allowed ends, and the next may come.
  Awaitable<void> ComeOneTooMany() {
    RawPeer first = co_await ConnectRaw(address);
    std::optional<RawPeer> second(co_await ConnectRaw(address));
    const auto both_are_there = [this] { return service.connection_tickets == 2; };
    co_await Poll(both_are_there);
    RawPeer third = co_await ConnectRaw(address);
    EXPECT_EQ(co_await third.ReceiveToEnd(), "");
    EXPECT_EQ(service.connection_tickets, 2);
    second.reset();
    const auto one_is_left = [this] { return service.connection_tickets == 1; };
    co_await Poll(one_is_left);
    RawPeer fourth = co_await ConnectRaw(address);
    co_await fourth.Send("GET /hello HTTP/1.1\r\nHost: t\r\n\r\n");
    EXPECT_THAT(co_await fourth.ReceiveResponse(), HasSubstr("\r\n\r\n/hello"));
  }

  Awaitable<void> TooLargeBodyIsAnsweredWhileItIsSent() {
    RawPeer peer = co_await ConnectRaw(address);
    co_await peer.Send(PostTo("/echo", std::string(1U << 20U, 'x')));
    EXPECT_THAT(co_await peer.ReceiveToEnd(), HasSubstr("HTTP/1.1 413 "));
  }
};

TEST_F(Http, AnswersAGet) {
  const std::string response = Answer("GET /hello%20you HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_THAT(response, HasSubstr("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(response, HasSubstr("Server: voicebridge\r\n"));
  EXPECT_THAT(response, HasSubstr("Content-Type: text/plain; charset=utf-8\r\n"));
  EXPECT_THAT(response, HasSubstr("X-Test: yes\r\n"));
  EXPECT_THAT(response, HasSubstr("\r\n\r\n/hello you"));
}

TEST_F(Http, HoldsTheTicketOfAConnectionUntilItConversesAndThatOfAnUpgradeMeanwhile) {
  StartServer();
  Run(HoldTickets());
}

TEST_F(Http, GivesTheTicketBackWhenTheUpgradeFails) {
  StartServer();
  Run(LeaveBeforeTheUpgradeIsAnswered());
}

TEST_F(Http, CutsAConnectionThatTheServiceDoesNotAdmit) {
  service.connections_max = 2;
  StartServer();
  Run(ComeOneTooMany());
}

TEST_F(Http, DropsAHeaderThatWouldInjectAnother) {
  EXPECT_THAT(Answer("GET / HTTP/1.1\r\nHost: t\r\n\r\n"), Not(HasSubstr("Injected")));
}

TEST_F(Http, AnswersAPost) {
  EXPECT_THAT(Answer(PostTo("/echo", "body")), HasSubstr("\r\n\r\nbody"));
}

TEST_F(Http, ReadsAChunkedBody) {
  EXPECT_THAT(Answer("POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
              HasSubstr("\r\n\r\nabcde"));
}

TEST_F(Http, KeepsTheConnectionForFurtherRequests) {
  StartServer();
  Run(KeepAlive());
}

TEST_F(Http, AnswersAHeadWithoutTheBody) {
  StartServer();
  Run(Head());
}

TEST_F(Http, ABodyAtTheLimitPasses) {
  const std::string body(server_options.body_bytes_max, 'b');
  EXPECT_THAT(Answer(PostTo("/echo", body)), HasSubstr("\r\n\r\n" + body));
}

TEST_F(Http, ABodyOverTheLimitIs413) {
  const std::string body(server_options.body_bytes_max + 1, 'b');
  EXPECT_THAT(Answer(PostTo("/echo", body)), HasSubstr("HTTP/1.1 413 "));
  EXPECT_TRUE(service.requests.empty());
}

TEST_F(Http, AChunkedBodyOverTheLimitIs413) {
  EXPECT_THAT(Answer("POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n800\r\n" +
                     std::string(0x800, 'x')),
              HasSubstr("HTTP/1.1 413 "));
}

TEST_F(Http, ALargeBodyOverTheLimitSeesThe413) {
  StartServer();
  Run(TooLargeBodyIsAnsweredWhileItIsSent());
}

TEST_F(Http, AHeaderOverTheLimitIs431) {
  const std::string line(limits::kHttpHeaderMax, 'h');
  EXPECT_THAT(Answer("GET / HTTP/1.1\r\nHost: t\r\nX: " + line + "\r\n\r\n"),
              HasSubstr("HTTP/1.1 431 "));
}

TEST_F(Http, WhatIsNotHttpIs400) {
  for (const char* request :
       {"hello\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "GET /%zz HTTP/1.1\r\nHost: t\r\n\r\n",
        "GET nowhere HTTP/1.1\r\nHost: t\r\n\r\n", "GET / HTTP/1.1\r\nHost t\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: x\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    EXPECT_THAT(Answer(request), HasSubstr("HTTP/1.1 400 ")) << request;
  }
  EXPECT_TRUE(service.requests.empty());
}

TEST_F(Http, AnUpgradeOfAnotherVersionIs426) {
  std::string request = UpgradeRequest("/echo");
  request.replace(request.find("Version: 13"), 11, "Version: 12");
  const std::string response = Answer(request);
  EXPECT_THAT(response, HasSubstr("HTTP/1.1 426 "));
  EXPECT_THAT(response, HasSubstr("Sec-WebSocket-Version: 13\r\n"));
}

TEST_F(Http, AnUpgradeWithoutAKeyIs400) {
  std::string request = UpgradeRequest("/echo");
  request.replace(request.find("Sec-WebSocket-Key"), 17, "X-Not-What-It-Was");
  EXPECT_THAT(Answer(request), HasSubstr("HTTP/1.1 400 "));
}

TEST_F(Http, AnUpgradeThatIsNotAGetIs400) {
  std::string request = UpgradeRequest("/echo");
  request.replace(0, 3, "PUT");
  EXPECT_THAT(Answer(request), HasSubstr("HTTP/1.1 400 "));
}

TEST_F(Http, ARefusedUpgradeIsAnsweredAndTheConnectionGoesOn) {
  StartServer();
  Run(RefusedUpgradeKeepsTheConnection());
}

TEST_F(Http, SubprotocolsMayComeAsAListOrAsSeveralHeaders) {
  const std::string list = "Sec-WebSocket-Protocol: openai-insecure-api-key.x , realtime\r\n";
  const std::string several =
      "Sec-WebSocket-Protocol: openai-insecure-api-key.x\r\nSec-WebSocket-Protocol: realtime\r\n";
  for (const std::string& offer : {list, several}) {
    const std::string response = Answer(UpgradeRequest("/hand", offer));
    EXPECT_THAT(response, HasSubstr("HTTP/1.1 101 "));
    EXPECT_THAT(response, HasSubstr("Sec-WebSocket-Protocol: realtime\r\n"));
    EXPECT_THAT(response, HasSubstr("Server: voicebridge\r\n"));
  }
  EXPECT_THAT(Answer(UpgradeRequest("/hand")), Not(HasSubstr("Sec-WebSocket-Protocol")));
}

TEST_F(Http, APeerThatSaysNothingIsCut) {
  server_options.request_max = milliseconds(50);
  StartServer();
  Run(ExpectCut(""));
}

TEST_F(Http, AnUnfinishedBodyIsCut) {
  server_options.request_max = milliseconds(50);
  StartServer();
  std::string request = PostTo("/echo", "body");
  request.pop_back();
  Run(ExpectCut(std::move(request)));
}

TEST_F(Http, ASlowRequestIsCut) {
  server_options.request_max = milliseconds(100);
  StartServer();
  Run(SlowLoris());
}

TEST_F(Http, ATlsPeerThatNeverFinishesIsCut) {
  const Certificate certificate = MakeCertificate("IP:127.0.0.1");
  server_options.certificate = certificate.pair;
  server_options.request_max = milliseconds(50);
  StartServer();
  Run(ExpectCut("\x16\x03"));
}

absl::Status StartError(HttpServerOptions options, TaskGroup& tasks, HttpService& service,
                        const net::any_io_executor& executor) {
  std::vector<HttpServer::Shard> shards = {{executor, &tasks}};
  HttpServer server(std::move(options), std::move(shards), service);
  return server.Start().status();
}

TEST_F(Http, StartSaysWhatIsWrong) {
  const Certificate certificate = MakeCertificate("IP:127.0.0.1");
  const auto error = [this](HttpServerOptions options) {
    const absl::Status status = StartError(std::move(options), tasks, service, io.get_executor());
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  };
  HttpServerOptions options = server_options;
  for (const char* listen : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:80", "a:80"}) {
    options.listen = listen;
    EXPECT_THAT(error(options), HasSubstr("listen address '" + options.listen + "'"));
  }
  options.listen = "192.0.2.1:0";
  EXPECT_THAT(error(options), HasSubstr("cannot listen on '192.0.2.1:0'"));
  options = server_options;
  options.certificate = KeyPair{"no certificate", certificate.pair.key, {}};
  EXPECT_THAT(error(options), HasSubstr("TLS certificate"));
  options.certificate = KeyPair{certificate.pair.chain, Secret("no key"), {}};
  EXPECT_THAT(error(options), HasSubstr("TLS key"));
}

}  // namespace
}  // namespace voicebridge::test

// Where a request ends, what its header may say about that, and which upgrades are sound.
#include <gmock/gmock.h>

#include "common/core/limits.h"
#include "tests/component/websocket/websocket_fixture.h"

namespace voicebridge::test {
namespace {

using testing::HasSubstr;

constexpr std::string_view kChunks = "2\r\nab\r\n0\r\n\r\n";

std::string Post(std::string_view headers, std::string_view body) {
  return "POST /echo HTTP/1.1\r\nHost: t\r\n" + std::string(headers) + "\r\n" + std::string(body);
}

class HttpFraming : public WebSocketTest {
 protected:
  void SetUp() override { StartServer(); }

  // What comes back until the server ends the connection, which it must do by itself.
  Awaitable<void> Refused(std::string request, std::string& answer) {
    RawPeer peer = co_await ConnectRaw(address);
    co_await peer.Send(std::move(request) + "GET /hidden HTTP/1.1\r\nHost: t\r\n\r\n");
    answer = co_await peer.ReceiveToEnd();
  }

  void ExpectRefused(const std::string& request, std::string_view status) {
    std::string answer;
    Run(Refused(request, answer));
    EXPECT_THAT(answer, HasSubstr("HTTP/1.1 " + std::string(status) + " ")) << request;
    EXPECT_TRUE(service.requests.empty()) << request;
    service.requests.clear();
  }

  // Header lines without an end; each read of the server ends right behind the beginning of one.
  Awaitable<void> SendLinesInPieces(std::size_t& sent) {
    RawPeer peer = co_await ConnectRaw(address);
    co_await peer.Send("GET / HTTP/1.1\r\nX:");
    const std::string piece = std::string(995, 'x') + "\r\nX:";
    bool ended = false;
    while (!ended && sent < 100 * piece.size()) {
      co_await peer.Send(piece);
      sent += piece.size();
      const bool goes_on = co_await SystemClock().SleepUntil(In(milliseconds(1)));
      ended = !goes_on || peer.socket.available() > 0;
    }
    peer.socket.shutdown(net::ip::tcp::socket::shutdown_send);
    EXPECT_THAT(co_await peer.ReceiveToEnd(), HasSubstr("HTTP/1.1 431 "));
  }

  Awaitable<void> UpgradeAnswer(std::string request, std::string& answer) {
    RawPeer peer = co_await ConnectRaw(address);
    co_await peer.Send(std::move(request));
    answer = co_await peer.ReceiveHeader();
  }

  std::string AnswerToUpgrade(std::string_view from, std::string_view to) {
    std::string request = UpgradeRequest("/echo");
    request.replace(request.find(from), from.size(), to);
    std::string answer;
    Run(UpgradeAnswer(request, answer));
    return answer.substr(0, 12);
  }

  Awaitable<void> InviteTheBody() {
    RawPeer peer = co_await ConnectRaw(address);
    co_await peer.Send(Post("Content-Length: 2\r\nExpect: 100-Continue\r\n", ""));
    EXPECT_EQ(co_await peer.ReceiveHeader(), "HTTP/1.1 100 Continue\r\n\r\n");
    co_await peer.Send("ab");
    EXPECT_THAT(co_await peer.ReceiveResponse(), HasSubstr("\r\n\r\nab"));
    co_await peer.Send(Post("Content-Length: 2\r\nExpect: 100-continue\r\n", "cd"));
    EXPECT_THAT(co_await peer.ReceiveResponse(), HasSubstr("HTTP/1.1 200 "));
  }
};

TEST_F(HttpFraming, AnEncodingThatDoesNotEndInChunksIsRefused) {
  for (const char* encoding : {"identity", "chunked, identity", "chunked, chunked", "xchunked"}) {
    ExpectRefused(Post("Transfer-Encoding: " + std::string(encoding) + "\r\n", kChunks), "400");
  }
}

TEST_F(HttpFraming, AnEncodingBeforeTheChunksIsNotImplemented) {
  ExpectRefused(Post("Transfer-Encoding: gzip, chunked\r\n", kChunks), "501");
}

TEST_F(HttpFraming, ChunksBelongToHttp11) {
  std::string request = Post("Transfer-Encoding: chunked\r\n", kChunks);
  request.replace(request.find("1.1"), 3, "1.0");
  ExpectRefused(request, "400");
}

TEST_F(HttpFraming, TrailersAreRefused) {
  ExpectRefused(
      Post("Transfer-Encoding: chunked\r\n", "2\r\nab\r\n0\r\nAuthorization: Bearer x\r\n\r\n"),
      "400");
}

TEST_F(HttpFraming, AnEndlessChunkHeaderIsRefused) {
  ExpectRefused(
      Post("Transfer-Encoding: chunked\r\n", "2;" + std::string(20000, 'x') + "\r\nab\r\n"), "400");
}

TEST_F(HttpFraming, HeadersOverTheLimitAreRefusedHoweverTheyArePacked) {
  std::size_t sent = 0;
  Run(SendLinesInPieces(sent));
  EXPECT_LT(sent, 2 * limits::kHttpHeaderMax);
}

TEST_F(HttpFraming, OneSoundHostIsWanted) {
  for (const char* hosts : {"Host: t\r\nHost: t\r\n", "Host: a b\r\n", "Host: a/b\r\n"}) {
    ExpectRefused("GET / HTTP/1.1\r\n" + std::string(hosts) + "\r\n", "400");
  }
}

TEST_F(HttpFraming, AClientThatAsksBeforeItSendsABodyIsToldToGoOn) { Run(InviteTheBody()); }

TEST_F(HttpFraming, AnUpgradeMayNameItsTokensInSeveralHeaders) {
  EXPECT_EQ(AnswerToUpgrade("Connection: keep-alive, Upgrade",
                            "Connection: keep-alive\r\nConnection: Upgrade"),
            "HTTP/1.1 101");
  EXPECT_EQ(AnswerToUpgrade("Upgrade: websocket", "Upgrade: h2c\r\nUpgrade: websocket"),
            "HTTP/1.1 101");
}

TEST_F(HttpFraming, AnUpgradeNeedsOneKeyOfSixteenBytesAndOneVersion) {
  const std::string key = "dGhlIHNhbXBsZSBub25jZQ==";
  for (const char* other : {"dGhlIHNhbXBsZSBub25jZTE=", "dGhlIHNhbXBsZSBub25jZSEh",
                            "!!!!!!!!!!!!!!!!!!!!!!==", "dGhlIHNhbXBsZSBub25jZ==="}) {
    EXPECT_EQ(AnswerToUpgrade(key, other), "HTTP/1.1 400") << other;
  }
  EXPECT_EQ(AnswerToUpgrade(key, "dGhlIHNhbXBsZSBub25jZR=="), "HTTP/1.1 101");
  EXPECT_EQ(AnswerToUpgrade(key, key + "\r\nSec-WebSocket-Key: " + key), "HTTP/1.1 400");
  EXPECT_EQ(AnswerToUpgrade("Version: 13", "Version: 13\r\nSec-WebSocket-Version: 13"),
            "HTTP/1.1 400");
}

}  // namespace
}  // namespace voicebridge::test

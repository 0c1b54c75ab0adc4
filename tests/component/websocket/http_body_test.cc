// Bodies that come in chunks, upgrades that are decided late, connections that are reset.
#include <gmock/gmock.h>

#include "common/websocket/upgradable_connection.h"
#include "tests/component/websocket/websocket_fixture.h"

namespace voicebridge::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class HttpBody : public WebSocketTest {
 protected:
  Awaitable<void> ReadChunks() {
    RawPeer peer = co_await ConnectRaw(address);
    co_await peer.Send("GET /pieces HTTP/1.1\r\nHost: t\r\n\r\n");
    const std::string header = co_await peer.ReceiveHeader();
    EXPECT_THAT(header, HasSubstr("Transfer-Encoding: chunked\r\n"));
    EXPECT_THAT(header, Not(HasSubstr("Content-Length")));
    const std::string body = "7\r\n/pieces\r\na\r\n" + std::string(10, 'p') + "\r\n14\r\n" +
                             std::string(20, 'p') + "\r\n1e\r\n" + std::string(30, 'p') +
                             "\r\n0\r\n\r\n";
    EXPECT_EQ(co_await peer.Receive(body.size()), body);
    co_await peer.Send("GET /b HTTP/1.1\r\nHost: t\r\n\r\n");
    EXPECT_THAT(co_await peer.ReceiveResponse(), HasSubstr("\r\n\r\n/b"));
  }

  Awaitable<void> UpgradeLate() {
    const TimePoint begun = SystemClock().Now();
    RawPeer peer = co_await ConnectRaw(address);
    co_await peer.Send(UpgradeRequest("/late"));
    const std::string header = co_await peer.ReceiveHeader();
    EXPECT_THAT(header, HasSubstr("101 Switching Protocols"));
    EXPECT_GE(SystemClock().Now() - begun, ScriptedService::kLate);
  }

  Awaitable<void> ResetByTheServer() {
    RawPeer peer = co_await UpgradeRaw(address, "/hand");
    std::unique_ptr<Connection> connection = co_await service.Handed();
    dynamic_cast<UpgradableConnection&>(*connection).Reset();
    std::array<char, 16> nothing;
    const auto [error, bytes] =
        co_await peer.socket.async_read_some(net::buffer(nothing), kNoThrow);
    EXPECT_EQ(error, net::error::connection_reset) << error.message();
  }
};

TEST_F(HttpBody, IsSentInChunksAndTheConnectionGoesOn) {
  StartServer();
  Run(ReadChunks());
}

TEST_F(HttpBody, AnUpgradeWaitsForItsPreparation) {
  server_options.request_max = ScriptedService::kLate / 2;  // Not counted while the service waits.
  StartServer();
  Run(UpgradeLate());
}

TEST_F(HttpBody, AResetIsNoOrdinaryEnd) {
  StartServer();
  Run(ResetByTheServer());
}

}  // namespace
}  // namespace voicebridge::test

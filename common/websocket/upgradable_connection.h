// A TCP or TLS connection from its first byte: HTTP first, then perhaps a WebSocket. Private to the
// adapters over Beast, connect.cc and common/http; and to the simulator, which writes frames of its
// own.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "common/websocket/connect.h"
#include "common/websocket/connection.h"

namespace voicebridge {

using TcpSocket = net::ip::tcp::socket;
using RawRequest = boost::beast::http::request<boost::beast::http::string_body>;

enum class Role { kClient, kServer };

struct ConnectionOptions {
  Role role = Role::kServer;
  std::size_t message_bytes_max = 0;
  Duration ping_interval{};
};

// The calls of this class come before the upgrade, one at a time; those of Connection after it,
// except Abort and Reset. Each wait is ended by the bound that holds, by Abort, or by cancellation.
class UpgradableConnection : public Connection {
 public:
  // Cuts the connection at the deadline, whatever is pending then; Never() lifts the bound.
  virtual void Bound(Deadline deadline) = 0;
  // Whether a bound has cut it.
  virtual bool OutOfTime() const = 0;

  // Nothing to do on a plain connection.
  virtual Awaitable<absl::Status> HandshakeTls() = 0;

  // 0: the connection is at its end.
  virtual Awaitable<std::size_t> ReadSome(net::mutable_buffer buffer) = 0;
  virtual Awaitable<bool> WriteAll(std::string_view head, std::string_view body) = 0;
  // Ends what we send and waits for the peer to end too: closing at once, with bytes unread, would
  // make the peer's system throw away what it has not read yet.
  virtual Awaitable<void> Finish() = 0;

  // Like Abort, but the peer is told by a TCP reset. At any time.
  virtual void Reset() = 0;

  // Server: answers 101 to a request that was checked; `early` is what came after it.
  virtual Awaitable<bool> AcceptWebSocket(const RawRequest& request, const std::string& subprotocol,
                                          std::string_view early) = 0;
  // Client: requests the upgrade. The failure's status is OK when the WebSocket is open.
  virtual Awaitable<ConnectFailure> OpenWebSocket(const ConnectOptions& options) = 0;
};

std::unique_ptr<UpgradableConnection> MakePlainConnection(TcpSocket socket,
                                                          const ConnectionOptions& options);
std::unique_ptr<UpgradableConnection> MakeTlsServerConnection(TcpSocket socket,
                                                              net::ssl::context& context,
                                                              const ConnectionOptions& options);
// Verifies that the certificate is for `host` and trusted by `context`.
std::unique_ptr<UpgradableConnection> MakeTlsClientConnection(TcpSocket socket,
                                                              net::ssl::context& context,
                                                              const std::string& host,
                                                              const ConnectionOptions& options);

}  // namespace voicebridge

#include "common/websocket/connect.h"

#include <utility>

#include "common/core/status.h"
#include "common/websocket/client_upgrade.h"
#include "common/websocket/tcp_connect.h"
#include "common/websocket/upgradable_connection.h"

namespace voicebridge {
namespace {

absl::Status Trust(net::ssl::context& context, const std::string& ca_file) {
  boost::system::error_code error;
  if (ca_file.empty()) {
    context.set_default_verify_paths(error);
  } else {
    context.load_verify_file(ca_file, error);
  }
  if (error) {
    return InvalidArgument("certificate authorities '{}': {}",
                           ca_file.empty() ? "of the system" : ca_file, error.message());
  }
  return absl::OkStatus();
}

// The connection keeps the context alive by OpenSSL's own count.
absl::StatusOr<std::unique_ptr<UpgradableConnection>> MakeClientConnection(
    TcpSocket socket, const ConnectOptions& options) {
  ConnectionOptions connection_options;
  connection_options.role = Role::kClient;
  connection_options.message_bytes_max = options.message_bytes_max;
  connection_options.ping_interval = options.ping_interval;
  if (!options.url.IsSecure()) {
    return MakePlainConnection(std::move(socket), connection_options);
  }
  net::ssl::context context(net::ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
  if (absl::Status status = Trust(context, options.ca_file); !status.ok()) {
    return status;
  }
  return MakeTlsClientConnection(std::move(socket), context, options.url.host, connection_options);
}

ConnectResult Failed(absl::Status status) {
  ConnectResult result;
  result.failure.status = std::move(status);
  return result;
}

}  // namespace

Awaitable<ConnectResult> ConnectWebSocket(ConnectOptions options, Deadline deadline) {
  if (absl::Status status = CheckHeaders(options); !status.ok()) {
    co_return Failed(std::move(status));
  }
  absl::StatusOr<TcpSocket> socket =
      co_await ConnectTcp(options.url.host, options.url.port, deadline);
  if (!socket.ok()) {
    co_return Failed(socket.status());
  }
  auto made = MakeClientConnection(*std::move(socket), options);
  if (!made.ok()) {
    co_return Failed(made.status());
  }
  std::unique_ptr<UpgradableConnection> connection = *std::move(made);
  connection->Bound(deadline);
  ConnectResult result;
  result.failure.status = co_await connection->HandshakeTls();
  if (result.failure.status.ok()) {
    result.failure = co_await connection->OpenWebSocket(options);
  }
  if (result.failure.status.ok()) {
    connection->Bound(Deadline::Never());
    result.connection = std::move(connection);
  } else if (connection->OutOfTime()) {
    result.failure.status =
        DeadlineExceeded("opening a WebSocket to '{}' took too long", options.url.host);
  }
  co_return result;
}

}  // namespace voicebridge

#include "common/websocket/client_transport.h"

#include <utility>

#include "common/core/status.h"
#include "common/websocket/tcp_connect.h"

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
    TcpSocket socket, const Url& url, const std::string& ca_file,
    const ConnectionOptions& options) {
  if (!url.IsSecure()) {
    return MakePlainConnection(std::move(socket), options);
  }
  net::ssl::context context(net::ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
  if (absl::Status status = Trust(context, ca_file); !status.ok()) {
    return status;
  }
  return MakeTlsClientConnection(std::move(socket), context, url.host, options);
}

}  // namespace

Awaitable<absl::StatusOr<std::unique_ptr<UpgradableConnection>>> OpenTransport(
    Url url, std::string ca_file, ConnectionOptions options, Deadline deadline) {
  options.role = Role::kClient;
  absl::StatusOr<TcpSocket> socket = co_await ConnectTcp(url.host, url.port, deadline);
  if (!socket.ok()) {
    co_return socket.status();
  }
  auto made = MakeClientConnection(*std::move(socket), url, ca_file, options);
  if (!made.ok()) {
    co_return made.status();
  }
  std::unique_ptr<UpgradableConnection> connection = *std::move(made);
  connection->Bound(deadline);
  const absl::Status status = co_await connection->HandshakeTls();
  if (connection->OutOfTime()) {
    co_return DeadlineExceeded("the TLS handshake with '{}' took too long", url.host);
  }
  if (!status.ok()) {
    co_return status;
  }
  co_return std::move(connection);
}

}  // namespace voicebridge

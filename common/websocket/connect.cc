#include "common/websocket/connect.h"

#include <utility>

#include "common/core/status.h"
#include "common/websocket/client_transport.h"
#include "common/websocket/client_upgrade.h"
#include "common/websocket/upgradable_connection.h"

namespace voicebridge {
namespace {

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
  ConnectionOptions connection_options;
  connection_options.message_bytes_max = options.message_bytes_max;
  connection_options.ping_interval = options.ping_interval;
  auto opened = co_await OpenTransport(options.url, options.ca_file, connection_options, deadline);
  if (!opened.ok()) {
    co_return Failed(opened.status());
  }
  std::unique_ptr<UpgradableConnection> connection = *std::move(opened);
  ConnectResult result;
  result.failure = co_await connection->OpenWebSocket(options);
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

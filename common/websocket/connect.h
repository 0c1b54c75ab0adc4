// Opens WebSocket connections to an upstream, plain or TLS.
#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/async/awaitable.h"
#include "common/core/deadline.h"
#include "common/core/secret.h"
#include "common/core/time.h"
#include "common/websocket/connection.h"
#include "common/websocket/url.h"

namespace voicebridge {

struct ConnectOptions {
  Url url;  // ws:// or wss://
  std::string user_agent = "voicebridge";
  Secret bearer;  // Authorization; empty: none.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string subprotocol;  // Offered; empty: none.
  std::string ca_file;      // Trusted instead of the system's authorities; empty: the system's.
  std::size_t message_bytes_max = 0;  // Larger incoming messages close the connection with 1009.
  Duration ping_interval{};           // Of our own pings; zero: none.
};

// How a connection failed before it was open. `http_status` is 0 unless the peer answered the
// upgrade with something other than 101 (401, 403, 429, 503, ...).
struct ConnectFailure {
  absl::Status status;
  unsigned http_status = 0;
};

struct ConnectResult {
  std::unique_ptr<Connection> connection;  // Null on failure.
  ConnectFailure failure;
};

// Resolves, connects, does the TLS handshake (certificate and host name verified, SNI sent) and the
// upgrade, all within the deadline. Redirects are not followed. Runs on the caller's executor.
Awaitable<ConnectResult> ConnectWebSocket(ConnectOptions options, Deadline deadline);

}  // namespace voicebridge

// The connection of a client to the host of a URL, before anything is said on it. Private to
// connect.cc and common/http.
#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <string>

#include "common/async/awaitable.h"
#include "common/core/deadline.h"
#include "common/websocket/upgradable_connection.h"
#include "common/websocket/url.h"

namespace voicebridge {

// Resolves, connects and, for wss and https, does the TLS handshake: certificate and host name
// verified against `ca_file` (empty: the system's authorities), SNI sent. The connection stays
// bound by the deadline. DEADLINE_EXCEEDED, UNAVAILABLE, or INVALID_ARGUMENT for the authorities.
Awaitable<absl::StatusOr<std::unique_ptr<UpgradableConnection>>> OpenTransport(
    Url url, std::string ca_file, ConnectionOptions options, Deadline deadline);

}  // namespace voicebridge

// The HTTP part of opening a WebSocket, both sides, as text. Pure.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <string>
#include <string_view>

#include "common/websocket/url.h"

namespace voicebridge::load {

// Where the head ends, its empty line included; npos: not yet.
std::size_t EndOfHead(std::string_view bytes);

struct UpgradeRequest {
  Url url;
  std::string key;          // Sec-WebSocket-Key.
  std::string subprotocol;  // The only one offered.
  std::string bearer;       // Empty: none.
};
std::string WriteRequest(const UpgradeRequest& request);
// Of `head`, the peer's answer. UNAVAILABLE says what it answered instead of 101.
absl::Status CheckResponse(const UpgradeRequest& request, std::string_view head);

// The server's whole answer to a client's request. INVALID_ARGUMENT: it is no upgrade.
absl::StatusOr<std::string> AnswerUpgrade(std::string_view head);

// Sec-WebSocket-Accept for a key.
std::string AcceptFor(std::string_view key);

}  // namespace voicebridge::load

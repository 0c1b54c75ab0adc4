// Where a socket connects to.
#pragma once

#include <absl/status/statusor.h>
#include <sys/socket.h>

#include "common/websocket/url.h"

namespace voicebridge::load {

struct Endpoint {
  sockaddr_storage storage{};
  socklen_t size = 0;

  int family() const { return storage.ss_family; }
  const sockaddr* address() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

// Resolves the name, once and before the load, so it may block.
absl::StatusOr<Endpoint> ResolveEndpoint(const Url& url);

}  // namespace voicebridge::load

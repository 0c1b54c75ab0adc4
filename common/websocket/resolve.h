// The addresses behind a host's name.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/ip/tcp.hpp>
#include <string>
#include <vector>

#include "common/async/awaitable.h"
#include "common/core/deadline.h"

namespace voicebridge {

using Endpoints = std::vector<net::ip::tcp::endpoint>;

// `host` may be an address already. A resolver that does not answer is left behind at the deadline.
// DEADLINE_EXCEEDED, or UNAVAILABLE with what the resolver says.
Awaitable<absl::StatusOr<Endpoints>> Resolve(std::string host, std::string port, Deadline deadline);

}  // namespace voicebridge

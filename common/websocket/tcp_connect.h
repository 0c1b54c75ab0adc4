// A TCP connection to a host by name or address.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/ip/tcp.hpp>
#include <string>

#include "common/async/awaitable.h"
#include "common/core/deadline.h"

namespace voicebridge {

// Tries the host's addresses in turn, each with its share of the time that is left, so that one
// that swallows packets does not hide the others. DEADLINE_EXCEEDED or UNAVAILABLE says what failed
// last.
Awaitable<absl::StatusOr<net::ip::tcp::socket>> ConnectTcp(std::string host, std::string port,
                                                           Deadline deadline);

}  // namespace voicebridge

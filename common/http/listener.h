// Opening what an HttpServer listens with. Private to http_server.cc.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

#include "common/async/awaitable.h"
#include "common/core/certificate.h"

namespace voicebridge {

// Bound and listening. INVALID_ARGUMENT names the address.
absl::StatusOr<net::ip::tcp::acceptor> Listen(const net::any_io_executor& executor,
                                              const std::string& address);

// `127.0.0.1:80`, `[::1]:80`.
std::string ToString(const net::ip::tcp::endpoint& endpoint);

// TLS 1.2 and later. INVALID_ARGUMENT says which of the two cannot be used.
absl::StatusOr<std::shared_ptr<net::ssl::context>> MakeServerContext(const KeyPair& pair);

}  // namespace voicebridge

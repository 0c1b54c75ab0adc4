#include "common/http/listener.h"

#include <boost/asio/ip/address.hpp>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "common/core/status.h"

namespace voicebridge {
namespace {

using net::ip::tcp;

std::optional<net::ip::port_type> ParsePort(std::string_view text) {
  net::ip::port_type port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return port;
}

std::optional<net::ip::address> ParseHost(std::string_view text) {
  if (text == "localhost") {
    return net::ip::address_v4::loopback();
  }
  const bool in_brackets = text.size() > 2 && text.front() == '[' && text.back() == ']';
  if (!in_brackets && text.find(':') != std::string_view::npos) {
    return std::nullopt;
  }
  boost::system::error_code error;
  const auto address =
      net::ip::make_address(in_brackets ? text.substr(1, text.size() - 2) : text, error);
  return error ? std::nullopt : std::optional(address);
}

absl::StatusOr<tcp::endpoint> ParseEndpoint(const std::string& address) {
  const std::string_view text = address;
  const std::size_t colon = text.rfind(':');
  if (colon != std::string_view::npos) {
    const auto host = ParseHost(text.substr(0, colon));
    const auto port = ParsePort(text.substr(colon + 1));
    if (host && port) {
      return tcp::endpoint(*host, *port);
    }
  }
  return InvalidArgument("listen address '{}': expected IP:PORT, [IPv6]:PORT or localhost:PORT",
                         address);
}

}  // namespace

absl::StatusOr<tcp::acceptor> Listen(const net::any_io_executor& executor,
                                     const std::string& address) {
  const absl::StatusOr<tcp::endpoint> endpoint = ParseEndpoint(address);
  if (!endpoint.ok()) {
    return endpoint.status();
  }
  tcp::acceptor acceptor(executor);
  boost::system::error_code error;
  acceptor.open(endpoint->protocol(), error);
  if (!error) {
    acceptor.set_option(net::socket_base::reuse_address(true), error);
  }
  if (!error) {
    acceptor.bind(*endpoint, error);
  }
  if (!error) {
    acceptor.listen(net::socket_base::max_listen_connections, error);
  }
  if (error) {
    return MakeStatus(error == net::error::address_in_use ? absl::StatusCode::kUnavailable
                                                          : absl::StatusCode::kInvalidArgument,
                      "cannot listen on '{}': {}", address, error.message());
  }
  return acceptor;
}

std::string ToString(const tcp::endpoint& endpoint) {
  const std::string host = endpoint.address().to_string();
  return endpoint.address().is_v6() ? fmt::format("[{}]:{}", host, endpoint.port())
                                    : fmt::format("{}:{}", host, endpoint.port());
}

absl::StatusOr<std::shared_ptr<net::ssl::context>> MakeServerContext(const KeyPair& pair) {
  auto context = std::make_shared<net::ssl::context>(net::ssl::context::tls_server);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  boost::system::error_code error;
  context->use_certificate_chain(net::buffer(pair.chain), error);
  if (error) {
    return InvalidArgument("TLS certificate: {}", error.message());
  }
  context->use_private_key(net::buffer(pair.key.Reveal()), net::ssl::context::pem, error);
  if (error) {
    return InvalidArgument("TLS key: {}", error.message());
  }
  return context;
}

}  // namespace voicebridge

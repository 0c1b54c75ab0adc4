#include "common/websocket/resolve.h"

#include <boost/asio/ip/address.hpp>
#include <utility>

#include "common/websocket/name_resolver.h"

namespace voicebridge {

Awaitable<absl::StatusOr<Endpoints>> Resolve(std::string host, std::string port,
                                             Deadline deadline) {
  boost::system::error_code error;
  const net::ip::address address = net::ip::make_address(host, error);
  if (error) {
    NameResolver& resolver = NameResolver::Of(co_await net::this_coro::executor);
    co_return co_await resolver.Resolve(std::move(host), std::move(port), deadline);
  }
  const auto number = static_cast<net::ip::port_type>(std::stoul(port));
  co_return Endpoints(1, net::ip::tcp::endpoint(address, number));
}

}  // namespace voicebridge

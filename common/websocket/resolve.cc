#include "common/websocket/resolve.h"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <utility>

#include "common/core/status.h"

namespace voicebridge {
namespace {

using net::ip::tcp;

// Shared with the resolver's handler: the thread that resolves cannot be interrupted, so at the
// deadline it is left behind and its answer, whenever it comes, falls on this.
struct Resolution {
  explicit Resolution(const net::any_io_executor& executor, Deadline deadline)
      : resolver(executor), answered(executor, deadline.when()) {}

  tcp::resolver resolver;
  net::steady_timer answered;  // Cancelled by the answer, else it fires at the deadline.
  bool has_answer = false;
  boost::system::error_code error;
  Endpoints endpoints;
};

void OnAnswer(Resolution& resolution, const boost::system::error_code& error,
              const tcp::resolver::results_type& results) {
  resolution.has_answer = true;
  resolution.error = error;
  for (const auto& entry : results) {
    resolution.endpoints.push_back(entry.endpoint());
  }
  resolution.answered.cancel();
}

Awaitable<absl::StatusOr<Endpoints>> Ask(const std::string& host, const std::string& port,
                                         Deadline deadline) {
  const net::any_io_executor executor = co_await net::this_coro::executor;
  const auto resolution = std::make_shared<Resolution>(executor, deadline);
  resolution->resolver.async_resolve(host, port,
                                     [resolution](const boost::system::error_code& error,
                                                  const tcp::resolver::results_type& results) {
                                       OnAnswer(*resolution, error, results);
                                     });
  co_await resolution->answered.async_wait(kNoThrow);
  if (!resolution->has_answer) {
    resolution->resolver.cancel();
    co_return DeadlineExceeded("resolving '{}' took too long", host);
  }
  if (resolution->error) {
    co_return Unavailable("cannot resolve '{}': {}", host, resolution->error.message());
  }
  co_return std::move(resolution->endpoints);
}

}  // namespace

Awaitable<absl::StatusOr<Endpoints>> Resolve(std::string host, std::string port,
                                             Deadline deadline) {
  boost::system::error_code error;
  const net::ip::address address = net::ip::make_address(host, error);
  if (error) {
    co_return co_await Ask(host, port, deadline);
  }
  const auto number = static_cast<net::ip::port_type>(std::stoul(port));
  co_return Endpoints(1, tcp::endpoint(address, number));
}

}  // namespace voicebridge

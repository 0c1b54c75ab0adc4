#include "common/websocket/tcp_connect.h"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <utility>
#include <vector>

#include "common/async/clock.h"
#include "common/async/deadline_guard.h"
#include "common/core/status.h"

namespace voicebridge {
namespace {

using net::ip::tcp;
using Endpoints = std::vector<tcp::endpoint>;

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

Awaitable<absl::StatusOr<Endpoints>> Resolve(const std::string& host, const std::string& port,
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

Awaitable<absl::StatusOr<Endpoints>> EndpointsOf(const std::string& host, const std::string& port,
                                                 Deadline deadline) {
  boost::system::error_code error;
  const net::ip::address address = net::ip::make_address(host, error);
  if (error) {
    co_return co_await Resolve(host, port, deadline);
  }
  const auto number = static_cast<net::ip::port_type>(std::stoul(port));
  co_return Endpoints(1, tcp::endpoint(address, number));
}

Awaitable<absl::Status> ConnectTo(tcp::socket& socket, const tcp::endpoint& endpoint,
                                  Deadline deadline) {
  boost::system::error_code ignored;
  socket.close(ignored);
  bool out_of_time = false;
  DeadlineGuard guard(socket.get_executor(), [&socket, &out_of_time] {
    out_of_time = true;
    boost::system::error_code also_ignored;
    socket.close(also_ignored);
  });
  guard.Arm(deadline);
  const auto [error] = co_await socket.async_connect(endpoint, kNoThrow);
  const std::string address = endpoint.address().to_string();
  if (out_of_time) {
    co_return DeadlineExceeded("connecting to {} port {} took too long", address, endpoint.port());
  }
  if (error) {
    co_return Unavailable("cannot connect to {} port {}: {}", address, endpoint.port(),
                          error.message());
  }
  co_return absl::OkStatus();
}

}  // namespace

Awaitable<absl::StatusOr<tcp::socket>> ConnectTcp(std::string host, std::string port,
                                                  Deadline deadline) {
  const absl::StatusOr<Endpoints> endpoints = co_await EndpointsOf(host, port, deadline);
  if (!endpoints.ok()) {
    co_return endpoints.status();
  }
  SystemClock clock;
  tcp::socket socket(co_await net::this_coro::executor);
  absl::Status status = Unavailable("'{}' has no address", host);
  auto untried = static_cast<Duration::rep>(endpoints->size());
  for (const tcp::endpoint& endpoint : *endpoints) {
    const bool cancelled = co_await IsCancelled();
    if (cancelled) {
      co_return Unavailable("connecting to '{}' was cancelled", host);
    }
    const TimePoint now = clock.Now();
    const Deadline share = Deadline::After(now, deadline.Remaining(now) / untried);
    status = co_await ConnectTo(socket, endpoint, share.EarlierOf(deadline));
    if (status.ok()) {
      co_return std::move(socket);
    }
    --untried;
  }
  co_return status;
}

}  // namespace voicebridge

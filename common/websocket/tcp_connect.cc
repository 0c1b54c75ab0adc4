#include "common/websocket/tcp_connect.h"

#include <utility>

#include "common/async/clock.h"
#include "common/async/deadline_guard.h"
#include "common/core/status.h"
#include "common/websocket/resolve.h"

namespace voicebridge {
namespace {

using net::ip::tcp;

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
  const absl::StatusOr<Endpoints> endpoints = co_await Resolve(host, port, deadline);
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

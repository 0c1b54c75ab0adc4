#include "tests/load/echo_upstream.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "common/config/flags.h"
#include "common/core/status.h"
#include "common/websocket/url.h"
#include "tests/load/echo_session.h"
#include "tests/load/endpoint.h"

namespace voicebridge::load {
namespace {

constexpr int kBacklog = 1024;

absl::Status SystemError(std::string_view what) {
  return Unavailable("{}: {}", what, std::strerror(errno));
}

std::string AddressOf(int socket) {
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  return fmt::format("127.0.0.1:{}", ntohs(address.sin_port));
}

}  // namespace

EchoUpstream::EchoUpstream(EventLoop& loop) : loop_(loop) {}

EchoUpstream::~EchoUpstream() {
  if (listener_ >= 0) {
    loop_.Forget(listener_);
    ::close(listener_);
  }
}

absl::StatusOr<std::string> EchoUpstream::Listen(const std::string& host_port) {
  const std::size_t colon = host_port.rfind(':');
  if (!IsHostPort(host_port) || host_port.substr(0, colon) != "127.0.0.1") {
    return InvalidArgument("--listen: expected 127.0.0.1:PORT, got \"{}\"", host_port);
  }
  const auto endpoint = ResolveEndpoint({"ws", "127.0.0.1", host_port.substr(colon + 1), "/"});
  if (!endpoint.ok()) {
    return endpoint.status();
  }
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (::bind(listener_, endpoint->address(), endpoint->size) != 0) {
    return SystemError("cannot bind " + host_port);
  }
  if (::listen(listener_, kBacklog) != 0) {
    return SystemError("cannot listen on " + host_port);
  }
  loop_.Watch(listener_, EPOLLIN, *this);
  return AddressOf(listener_);
}

void EchoUpstream::OnEvents(std::uint32_t) {
  for (;;) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      return;
    }
    sessions_.push_back(std::make_unique<EchoSession>(loop_, ++last_session_, fd, some_ended_));
  }
}

void EchoUpstream::Reap() {
  if (some_ended_) {
    some_ended_ = false;
    std::erase_if(sessions_, [](const auto& session) { return !session->open(); });
  }
}

}  // namespace voicebridge::load

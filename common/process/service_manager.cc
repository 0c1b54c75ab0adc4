#include "common/process/service_manager.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "common/core/status.h"

namespace voicebridge {
namespace {

// What the kernel takes: of an abstract name all bytes that are given count, so the length says
// where it ends.
struct Address {
  sockaddr_un socket{};
  socklen_t length = 0;
};

bool Fits(const std::string& text) {
  return text.size() > 1 && text.size() < sizeof(sockaddr_un::sun_path) &&
         (text.front() == '/' || text.front() == '@');
}

Address ToAddress(const std::string& text) {
  Address address;
  address.socket.sun_family = AF_UNIX;
  std::copy(text.begin(), text.end(), address.socket.sun_path);
  const bool abstract = text.front() == '@';
  if (abstract) {
    address.socket.sun_path[0] = '\0';
  }
  address.length =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + text.size() + (abstract ? 0U : 1U));
  return address;
}

// No patience is a flag: a timeout of 0 would be none.
int BoundBy(int socket, Duration patience) {
  const auto left = std::chrono::duration_cast<std::chrono::microseconds>(patience).count();
  if (left <= 0) {
    return MSG_DONTWAIT;
  }
  const timeval limit{static_cast<time_t>(left / 1'000'000),
                      static_cast<suseconds_t>(left % 1'000'000)};
  const bool bounded = setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0;
  return bounded ? 0 : MSG_DONTWAIT;
}

}  // namespace

ServiceManager ServiceManager::FromEnvironment() {
  const char* address = std::getenv("NOTIFY_SOCKET");
  return ServiceManager(address == nullptr ? "" : address);
}

absl::Status ServiceManager::Tell(std::string_view lines, Duration patience) const {
  if (address_.empty()) {
    return absl::OkStatus();
  }
  if (!Fits(address_)) {
    return InvalidArgument("NOTIFY_SOCKET: expected a path or @NAME, got \"{}\"", address_);
  }
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) {
    return Unavailable("{}: {}", address_, std::strerror(errno));
  }
  const Address address = ToAddress(address_);
  const int flags = MSG_NOSIGNAL | BoundBy(socket, patience);
  const ssize_t sent = sendto(socket, lines.data(), lines.size(), flags,
                              reinterpret_cast<const sockaddr*>(&address.socket), address.length);
  const int error = errno;
  close(socket);
  return sent < 0 ? Unavailable("{}: {}", address_, std::strerror(error)) : absl::OkStatus();
}

}  // namespace voicebridge

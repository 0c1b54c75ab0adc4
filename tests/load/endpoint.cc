#include "tests/load/endpoint.h"

#include <netdb.h>

#include <cstring>

#include "common/core/status.h"

namespace voicebridge::load {

absl::StatusOr<Endpoint> ResolveEndpoint(const Url& url) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(url.host.c_str(), url.port.c_str(), &hints, &found);
  if (error != 0) {
    return InvalidArgument("cannot find \"{}\": {}", url.host, ::gai_strerror(error));
  }
  Endpoint endpoint;
  endpoint.size = found->ai_addrlen;
  std::memcpy(&endpoint.storage, found->ai_addr, found->ai_addrlen);
  ::freeaddrinfo(found);
  return endpoint;
}

}  // namespace voicebridge::load

// Listen addresses as gRPC takes and reports them.
#pragma once

#include <string>
#include <string_view>

namespace voicebridge {

// "HOST:0" with the port that was really bound.
inline std::string WithPort(std::string_view host_port, int port) {
  return std::string(host_port.substr(0, host_port.rfind(':') + 1)) + std::to_string(port);
}

}  // namespace voicebridge

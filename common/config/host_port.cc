#include <arpa/inet.h>

#include <algorithm>
#include <cctype>
#include <cstddef>

#include "common/config/flags.h"

namespace voicebridge {
namespace {

bool IsIPv4(const std::string& host) {
  in_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1;
}

bool IsIPv6(const std::string& host) {
  in6_addr address{};
  return inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

bool IsPort(std::string_view text) {
  if (text.empty() || text.size() > 5 ||
      text.find_first_not_of("0123456789") != std::string_view::npos) {
    return false;
  }
  return std::stoul(std::string(text)) <= 65535;
}

bool IsHostName(std::string_view text) {
  const bool clean = std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
  });
  // Resolvers read a name of digits and dots as an address, in forms that nobody means ("127.1").
  const bool numeric = text.find_first_not_of("0123456789.") == std::string_view::npos;
  return clean && !text.empty() && !numeric;
}

struct HostPort {
  std::string host;
  bool bracketed;
};

std::optional<HostPort> SplitHostPort(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || !IsPort(text.substr(colon + 1))) {
    return std::nullopt;
  }
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) {
    host = host.substr(1, host.size() - 2);
  }
  return HostPort{std::string(host), bracketed};
}

}  // namespace

bool IsHostPort(std::string_view text) {
  const std::optional<HostPort> parts = SplitHostPort(text);
  if (!parts) {
    return false;
  }
  return parts->bracketed ? IsIPv6(parts->host) : IsIPv4(parts->host) || IsHostName(parts->host);
}

bool IsLoopbackHostPort(std::string_view text) {
  if (!IsHostPort(text)) {
    return false;
  }
  const HostPort parts = *SplitHostPort(text);
  if (parts.bracketed) {
    return parts.host == "::1";
  }
  return parts.host == "localhost" || (IsIPv4(parts.host) && parts.host.starts_with("127."));
}

}  // namespace voicebridge

#include "gateway/client/trusted_proxies.h"

#include <algorithm>
#include <optional>

namespace voicebridge::gateway {
namespace {

// An element of X-Forwarded-For: an address, with some proxies in brackets or with a port.
std::optional<IpAddress> ParseForwarded(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    return end == std::string_view::npos ? std::nullopt : IpAddress::Parse(text.substr(1, end - 1));
  }
  const bool has_port = std::count(text.begin(), text.end(), ':') == 1;
  return IpAddress::Parse(has_port ? text.substr(0, text.find(':')) : text);
}

}  // namespace

absl::StatusOr<TrustedProxies> TrustedProxies::Parse(const std::vector<std::string>& networks) {
  TrustedProxies proxies;
  for (const std::string& text : networks) {
    const absl::StatusOr<IpNetwork> network = IpNetwork::Parse(text);
    if (!network.ok()) {
      return network.status();
    }
    proxies.networks_.push_back(*network);
  }
  return proxies;
}

bool TrustedProxies::Contains(const IpAddress& address) const {
  return std::any_of(networks_.begin(), networks_.end(),
                     [&](const IpNetwork& network) { return network.Contains(address); });
}

IpAddress TrustedProxies::ClientOf(const IpAddress& peer,
                                   const std::vector<std::string_view>& forwarded) const {
  IpAddress client = peer;
  for (auto entry = forwarded.rbegin(); entry != forwarded.rend() && Contains(client); ++entry) {
    const std::optional<IpAddress> before = ParseForwarded(*entry);
    if (!before) {
      break;
    }
    client = *before;
  }
  return client;
}

}  // namespace voicebridge::gateway

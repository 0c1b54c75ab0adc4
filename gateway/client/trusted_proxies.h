// Whose request it is, when proxies stand between a client and the gateway.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>
#include <vector>

#include "gateway/client/ip_address.h"

namespace voicebridge::gateway {

// The load balancers whose word about a client's address counts. Immutable; calls may overlap.
class TrustedProxies {
 public:
  // None: the address is always that of the connection.
  TrustedProxies() = default;
  // Networks, or single addresses. INVALID_ARGUMENT says what was expected.
  static absl::StatusOr<TrustedProxies> Parse(const std::vector<std::string>& networks);

  bool Contains(const IpAddress& address) const;

  // `peer` opened the connection; `forwarded` are the elements of X-Forwarded-For, to which each
  // proxy adds the address that it was called from at the end. The nearest address that is not a
  // trusted proxy's; what stands before it is that one's own word, and may be invented. Of a proxy
  // whose entry is no address the proxy itself.
  IpAddress ClientOf(const IpAddress& peer, const std::vector<std::string_view>& forwarded) const;

 private:
  std::vector<IpNetwork> networks_;
};

}  // namespace voicebridge::gateway

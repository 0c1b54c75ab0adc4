// IP addresses as values: compared, cut to a network, and written.
#pragma once

#include <absl/status/statusor.h>

#include <array>
#include <compare>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace voicebridge::gateway {

// IPv4 addresses are kept as IPv4-mapped IPv6 (RFC 4291 2.5.5.2), so that both ways of writing one
// are the same address.
class IpAddress {
 public:
  // The unspecified address, `::`.
  IpAddress() = default;

  // `192.0.2.1`, `2001:db8::1`, `::ffff:192.0.2.1`; the zone of a link-local address is left out.
  static std::optional<IpAddress> Parse(std::string_view text);

  bool IsV4() const;
  // Its first `bits` of 128, the others zero.
  IpAddress First(std::size_t bits) const;
  // Whom limits count: an IPv4 address is one party, and so is an IPv6 /64, which a single host is
  // given.
  IpAddress Party() const;

  // IPv4 addresses as such.
  std::string ToString() const;

  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  std::array<unsigned char, 16> bytes_{};
};

// All addresses with the same first bits.
class IpNetwork {
 public:
  // `10.0.0.0/8`, `2001:db8::/32`, `::ffff:10.0.0.0/104`, or one address. INVALID_ARGUMENT says
  // what was expected.
  static absl::StatusOr<IpNetwork> Parse(std::string_view text);

  // An IPv6 network holds no IPv4 address, however short its prefix is.
  bool Contains(const IpAddress& address) const;

 private:
  IpNetwork(const IpAddress& first, std::size_t bits) : first_(first), bits_(bits) {}

  IpAddress first_;
  std::size_t bits_;
};

}  // namespace voicebridge::gateway

#include "gateway/client/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "common/core/status.h"

namespace voicebridge::gateway {
namespace {

constexpr std::size_t kBits = 128;
constexpr std::size_t kV4Offset = 12;  // Of an IPv4 address within its mapped form.
constexpr std::size_t kV4PrefixBits = 8 * kV4Offset;
constexpr std::size_t kPartyBits = 64;
constexpr std::array<unsigned char, kV4Offset> kV4Prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255};

std::optional<std::size_t> ParseBits(std::string_view text) {
  std::size_t bits = 0;
  const char* const end = text.data() + text.size();
  const auto [parsed, error] = std::from_chars(text.data(), end, bits);
  return error == std::errc() && parsed == end && !text.empty() ? std::optional(bits)
                                                                : std::nullopt;
}

}  // namespace

std::optional<IpAddress> IpAddress::Parse(std::string_view text) {
  const std::string name(text.substr(0, text.find('%')));
  IpAddress address;
  if (name.find('\0') != std::string::npos) {
    return std::nullopt;
  }
  if (::inet_pton(AF_INET6, name.c_str(), address.bytes_.data()) == 1) {
    return address;
  }
  std::copy(kV4Prefix.begin(), kV4Prefix.end(), address.bytes_.begin());
  if (::inet_pton(AF_INET, name.c_str(), address.bytes_.data() + kV4Offset) == 1) {
    return address;
  }
  return std::nullopt;
}

bool IpAddress::IsV4() const {
  return std::equal(kV4Prefix.begin(), kV4Prefix.end(), bytes_.begin());
}

IpAddress IpAddress::First(std::size_t bits) const {
  IpAddress first;
  const std::size_t whole = std::min(bits / 8, bytes_.size());
  std::copy_n(bytes_.begin(), whole, first.bytes_.begin());
  if (whole < bytes_.size() && bits % 8 != 0) {
    const auto mask = static_cast<unsigned char>(0xFFU << (8 - bits % 8));
    first.bytes_[whole] = bytes_[whole] & mask;
  }
  return first;
}

IpAddress IpAddress::Party() const { return IsV4() ? *this : First(kPartyBits); }

std::string IpAddress::ToString() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const bool is_v4 = IsV4();
  ::inet_ntop(is_v4 ? AF_INET : AF_INET6, bytes_.data() + (is_v4 ? kV4Offset : 0), text.data(),
              text.size());
  return text.data();
}

absl::StatusOr<IpNetwork> IpNetwork::Parse(std::string_view text) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  const auto address = IpAddress::Parse(text.substr(0, slash));
  if (!address || text.find('%') != std::string_view::npos) {
    return InvalidArgument("expected ADDRESS or ADDRESS/BITS, got \"{}\"", text);
  }
  if (slash == text.size()) {
    return IpNetwork(*address, kBits);
  }
  const bool short_form = text.substr(0, slash).find(':') == std::string_view::npos;
  const std::size_t bits_max = short_form ? kBits - kV4PrefixBits : kBits;
  const auto bits = ParseBits(text.substr(slash + 1));
  if (!bits || *bits > bits_max) {
    return InvalidArgument("\"{}\": expected a prefix of 0 to {} bits", text, bits_max);
  }
  const IpNetwork network(*address, short_form ? *bits + kV4PrefixBits : *bits);
  if (address->First(network.bits_) != *address) {
    return InvalidArgument("\"{}\": the address has bits after its prefix; meant is {}/{}", text,
                           address->First(network.bits_).ToString(), *bits);
  }
  return network;
}

bool IpNetwork::Contains(const IpAddress& address) const {
  if (address.IsV4() && bits_ < kV4PrefixBits) {
    return false;
  }
  return address.First(bits_) == first_;
}

}  // namespace voicebridge::gateway

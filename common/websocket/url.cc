#include "common/websocket/url.h"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <charconv>
#include <optional>

#include "common/core/status.h"

namespace voicebridge {
namespace {

constexpr std::string_view kAlphanumeric =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

bool IsAlphanumeric(char c) { return kAlphanumeric.find(c) != std::string_view::npos; }

bool IsHexDigit(char c) {
  return std::string_view("0123456789abcdefABCDEF").find(c) != std::string_view::npos;
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') {
      c = static_cast<char>(c - 'A' + 'a');
    }
  }
  return lower;
}

std::optional<std::string> DefaultPort(std::string_view scheme) {
  if (scheme == "ws" || scheme == "http") {
    return "80";
  }
  if (scheme == "wss" || scheme == "https") {
    return "443";
  }
  return std::nullopt;
}

bool IsIpv6(const std::string& host) {
  boost::system::error_code error;
  boost::asio::ip::make_address_v6(host, error);
  return !error;
}

bool IsHostName(std::string_view host) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
    return IsAlphanumeric(c) || c == '.' || c == '-' || c == '_';
  });
}

// RFC 3986 section 3.3: path and query characters, and complete percent escapes.
bool IsTarget(std::string_view target) {
  constexpr std::string_view kAllowed = "-._~!$&'()*+,;=:@/?";
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (target[i] == '%') {
      if (i + 2 >= target.size() || !IsHexDigit(target[i + 1]) || !IsHexDigit(target[i + 2])) {
        return false;
      }
    } else if (!IsAlphanumeric(target[i]) && kAllowed.find(target[i]) == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

bool IsPort(std::string_view port) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  return error == std::errc() && end == port.data() + port.size() && number >= 1 &&
         number <= 65535 && port.front() != '0';
}

// Sets host and port from `host`, `host:port`, `[v6]` or `[v6]:port`.
absl::Status ParseAuthority(std::string_view authority, Url& url) {
  if (authority.find('@') != std::string_view::npos) {
    return InvalidArgument("URL: user information is not allowed");
  }
  std::string_view rest;
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    url.host = std::string(authority.substr(1, end == std::string_view::npos ? end : end - 1));
    if (end == std::string_view::npos || !IsIpv6(url.host)) {
      return InvalidArgument("URL: '{}' is not an IPv6 address in brackets", authority);
    }
    rest = authority.substr(end + 1);
  } else {
    const std::size_t colon = std::min(authority.find(':'), authority.size());
    url.host = LowerCase(authority.substr(0, colon));
    if (!IsHostName(url.host)) {
      return InvalidArgument("URL: '{}' is not a host name or address", url.host);
    }
    rest = authority.substr(colon);
  }
  if (rest.empty()) {
    return absl::OkStatus();
  }
  if (rest.front() != ':' || !IsPort(rest.substr(1))) {
    return InvalidArgument("URL: '{}' must be a colon and a port from 1 to 65535", rest);
  }
  url.port = std::string(rest.substr(1));
  return absl::OkStatus();
}

std::string PercentEncode(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if (IsAlphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      encoded.push_back(c);
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

}  // namespace

bool Url::IsLoopback() const {
  if (host == "localhost") {
    return true;
  }
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(host, error);
  return !error && address.is_loopback();
}

absl::StatusOr<Url> ParseUrl(std::string_view text) {
  const std::size_t scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) {
    return InvalidArgument("URL: '{}' has no scheme; expected ws, wss, http or https", text);
  }
  Url url;
  url.scheme = LowerCase(text.substr(0, scheme_end));
  const std::optional<std::string> port = DefaultPort(url.scheme);
  if (!port) {
    return InvalidArgument("URL: scheme '{}' is not one of ws, wss, http, https", url.scheme);
  }
  url.port = *port;
  const std::string_view rest = text.substr(scheme_end + 3);
  if (rest.find('#') != std::string_view::npos) {
    return InvalidArgument("URL: a fragment ('#') is not allowed");
  }
  const std::size_t authority_end = std::min(rest.find_first_of("/?"), rest.size());
  if (absl::Status status = ParseAuthority(rest.substr(0, authority_end), url); !status.ok()) {
    return status;
  }
  const std::string_view target = rest.substr(authority_end);
  if (!IsTarget(target)) {
    return InvalidArgument("URL: path and query '{}' must be ASCII and percent-encoded", target);
  }
  url.target = (target.starts_with('/') ? "" : "/") + std::string(target);
  return url;
}

void AddQueryParameter(Url& url, std::string_view key, std::string_view value) {
  const std::size_t query = url.target.find('?');
  const bool needs_separator =
      query != std::string::npos && query + 1 != url.target.size() && url.target.back() != '&';
  url.target += query == std::string::npos ? "?" : needs_separator ? "&" : "";
  url.target += PercentEncode(key) + "=" + PercentEncode(value);
}

}  // namespace voicebridge

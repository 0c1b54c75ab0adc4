#include "common/http/request_target.h"

#include <algorithm>
#include <charconv>

namespace voicebridge {
namespace {

std::optional<char> DecodeEscape(std::string_view digits) {
  unsigned value = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (digits.size() != 2 || error != std::errc() || end != digits.data() + 2 || value == 0) {
    return std::nullopt;
  }
  return static_cast<char>(value);
}

std::optional<std::string> DecodeQueryPart(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  return PercentDecode(spaced);
}

// False when an escape is broken.
bool ParseQuery(std::string_view text, std::map<std::string, std::string>& query) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) {
      continue;
    }
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const auto name = DecodeQueryPart(pair.substr(0, equals));
    const auto value = DecodeQueryPart(pair.substr(std::min(equals + 1, pair.size())));
    if (!name || !value) {
      return false;
    }
    query[*name] = *value;
  }
  return true;
}

char LowerCase(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool StartsWithIgnoringCase(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() &&
         std::equal(prefix.begin(), prefix.end(), text.begin(),
                    [](char a, char b) { return a == LowerCase(b); });
}

// What follows scheme and host of an absolute target; other targets unchanged. nullopt: it names no
// host (RFC 7230 2.7.1).
std::optional<std::string> WithoutAuthority(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (StartsWithIgnoringCase(target, scheme)) {
      const std::string_view rest = target.substr(scheme.size());
      const std::size_t host = std::min(rest.find_first_of("/?"), rest.size());
      if (host == 0) {
        return std::nullopt;
      }
      const std::string_view path = rest.substr(host);
      return path.starts_with('/') ? std::string(path) : "/" + std::string(path);
    }
  }
  return std::string(target);
}

}  // namespace

std::optional<std::string> PercentDecode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded.push_back(text[i]);
      continue;
    }
    const std::optional<char> c = DecodeEscape(text.substr(i + 1, 2));
    if (!c) {
      return std::nullopt;
    }
    decoded.push_back(*c);
    i += 2;
  }
  return decoded;
}

std::optional<RequestTarget> ParseRequestTarget(std::string_view target) {
  const std::optional<std::string> local = WithoutAuthority(target);
  if (!local || !local->starts_with('/')) {
    return std::nullopt;
  }
  target = *local;
  const std::size_t query = std::min(target.find('?'), target.size());
  const std::optional<std::string> path = PercentDecode(target.substr(0, query));
  RequestTarget result;
  if (!path || !ParseQuery(target.substr(std::min(query + 1, target.size())), result.query)) {
    return std::nullopt;
  }
  result.path = *path;
  return result;
}

}  // namespace voicebridge

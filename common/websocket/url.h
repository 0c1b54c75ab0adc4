// The parts of an absolute ws, wss, http or https URL.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>

namespace voicebridge {

struct Url {
  std::string scheme;  // ws, wss, http or https.
  std::string host;    // Without brackets when it is an IPv6 address.
  std::string port;    // Numeric; the scheme's default when the URL has none.
  std::string target;  // Path and query; at least "/".

  bool IsSecure() const { return scheme == "wss" || scheme == "https"; }
  bool IsLoopback() const;  // 127.0.0.0/8, ::1 or localhost, judged by its text.
};

// INVALID_ARGUMENT names what is wrong; user info and fragments are refused.
absl::StatusOr<Url> ParseUrl(std::string_view text);

// `key=value` appended to the target's query, percent-encoded.
void AddQueryParameter(Url& url, std::string_view key, std::string_view value);

}  // namespace voicebridge

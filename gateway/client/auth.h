// Who may come in: API keys for servers, short-lived client secrets for browsers.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/core/secret.h"
#include "common/http/http_message.h"
#include "gateway/client/refusal.h"

namespace voicebridge::gateway {

// API keys by name, kept as SHA-256 digests. File: one `NAME SHA256HEX` per line, # begins a
// comment.
class ApiKeys {
 public:
  static absl::StatusOr<ApiKeys> Parse(std::string_view text);  // INVALID_ARGUMENT names the line.

  // The name of the key, or nullptr. Takes the same time whether or not it is there.
  const std::string* Find(std::string_view key) const;

  std::size_t size() const { return names_by_digest_.size(); }

 private:
  std::vector<std::pair<std::string, std::string>> names_by_digest_;
};

// Signing keys, one `KEY_ID SECRET` per line (SECRET: base64, at least 32 bytes). The first signs,
// all verify, so that a key is rotated by putting a new one in front.
class SigningKeys {
 public:
  static absl::StatusOr<SigningKeys> Parse(std::string_view text);
  static SigningKeys Random();  // One key of this process: for a single gateway.

  struct Key {
    std::string id;
    Secret secret;
  };
  const std::vector<Key>& keys() const { return keys_; }

 private:
  std::vector<Key> keys_;
};

// What may be done with one client secret. Each 0: as much as without it.
struct SecretLimits {
  std::int64_t max_sessions = 0;     // At the same time, at one gateway.
  std::int64_t session_seconds = 0;  // The longest session; the profile's limit holds as well.
};

// What a client secret says. `expires_at` is unix time in seconds.
struct ClientSecretClaims {
  std::string id = {};       // For counting and for logs; no secret.
  std::string issued_to;     // The API key's name.
  std::string profile;       // Empty: any.
  std::string session_json;  // OpenAI's session object with defaults; empty: none. At most 4 KiB.
  std::int64_t expires_at = 0;
  SecretLimits limits = {};
};

// `ek_` and a JWT (HS256, header kid); empty when a claim is no UTF-8. UNAUTHENTICATED: forged or
// malformed; DEADLINE_EXCEEDED: it was good, and has expired.
inline constexpr std::string_view kClientSecretPrefix = "ek_";
std::string MintClientSecret(const SigningKeys& keys, const ClientSecretClaims& claims);
absl::StatusOr<ClientSecretClaims> VerifyClientSecret(const SigningKeys& keys,
                                                      std::string_view secret,
                                                      std::int64_t unix_now);

// The token in voicebridge.session.ready: good for the report and retry of this one session.
// Statuses as above; PERMISSION_DENIED: it is another session's.
std::string MintAccessToken(const SigningKeys& keys, std::string_view session_id,
                            std::int64_t expires_at);
absl::Status VerifyAccessToken(const SigningKeys& keys, std::string_view token,
                               std::string_view session_id, std::int64_t unix_now);

// The credential of a request: `Authorization: Bearer …`, else the subprotocol
// `openai-insecure-api-key.…`. Empty when there is none.
Secret CredentialOf(const HttpRequest& request);

// What such a status means to whoever sent the credential.
Refusal RefusalOf(const absl::Status& credential);

// Who is calling, once checked.
struct Caller {
  std::string name;           // API key's name, "anonymous" without authentication.
  ClientSecretClaims claims;  // Filled for a client secret.
  bool may_mint = false;      // An API key (or no authentication required).
};

// Everything that decides about a credential.
struct AuthPolicy {
  ApiKeys api_keys;
  SigningKeys signing_keys;
  bool insecure_no_auth = false;  // Any or no credential will do.
};

// Refused: no credential, a wrong one, one that has expired or is forged.
std::variant<Caller, Refusal> Authenticate(const AuthPolicy& policy, const HttpRequest& request,
                                           std::int64_t unix_now);

// What POST /v1/realtime/client_secrets comes to. `secret_id` is empty when none was minted.
struct MintedSecret {
  HttpResponse response;
  std::string secret_id = {};
};

// OpenAI's request and response shape; `profile` and `limits` beside `session` are ours. The caller
// is already authenticated and may mint.
MintedSecret RespondClientSecret(const AuthPolicy& policy, const Caller& caller,
                                 std::string_view body, std::int64_t unix_now);

}  // namespace voicebridge::gateway

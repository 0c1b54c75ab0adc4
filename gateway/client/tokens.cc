// Signed tokens: client secrets and access tokens, both JWT (HS256).
#include <jwt.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <utility>

#include "common/core/ids.h"
#include "common/core/status.h"
#include "gateway/client/auth.h"

namespace voicebridge::gateway {
namespace {

// Whom a token is for: the one kind is never good for the other's purpose.
constexpr std::string_view kClientSecretAudience = "voicebridge.client_secret";
constexpr std::string_view kAccessTokenAudience = "voicebridge.access_token";
constexpr const char* kMaxSessions = "max_sessions";
constexpr const char* kSessionSeconds = "session_seconds";

struct FreeJwt {
  void operator()(jwt_t* jwt) const { jwt_free(jwt); }
};
using Jwt = std::unique_ptr<jwt_t, FreeJwt>;

absl::Status Refuse(std::string_view what, std::string_view problem,
                    absl::StatusCode code = absl::StatusCode::kUnauthenticated) {
  return MakeStatus(code, "The {} {}.", what, problem);
}

const unsigned char* Bytes(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string_view Grant(const Jwt& jwt, const char* name) {
  const char* value = jwt_get_grant(jwt.get(), name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

struct Claims {
  std::string_view audience;
  std::string_view subject;
  std::int64_t expires_at;
  std::string id;
};

// 0: the limit is not set.
bool AddLimit(const Jwt& jwt, const char* name, std::int64_t limit) {
  return limit == 0 || jwt_add_grant_int(jwt.get(), name, limit) == 0;
}

std::int64_t Limit(const Jwt& jwt, const char* name) {
  return std::max<std::int64_t>(0, jwt_get_grant_int(jwt.get(), name));
}

// A token with what both kinds have; empty when the library refuses (no memory, no UTF-8).
Jwt Begin(const SigningKeys& keys, const Claims& claims) {
  jwt_t* raw = nullptr;
  if (keys.keys().empty() || jwt_new(&raw) != 0) {
    return nullptr;
  }
  Jwt jwt(raw);
  const SigningKeys::Key& key = keys.keys().front();
  const std::string& secret = key.secret.Reveal();
  const bool complete =
      jwt_set_alg(raw, JWT_ALG_HS256, Bytes(secret), static_cast<int>(secret.size())) == 0 &&
      jwt_add_header(raw, "kid", key.id.c_str()) == 0 &&
      jwt_add_grant(raw, "aud", std::string(claims.audience).c_str()) == 0 &&
      jwt_add_grant(raw, "sub", std::string(claims.subject).c_str()) == 0 &&
      jwt_add_grant(raw, "jti", claims.id.c_str()) == 0 &&
      jwt_add_grant_int(raw, "exp", claims.expires_at) == 0;
  return complete ? std::move(jwt) : nullptr;
}

std::string Encode(const Jwt& jwt) {
  const std::unique_ptr<char, decltype(&std::free)> text(jwt_encode_str(jwt.get()), &std::free);
  return text == nullptr ? std::string() : std::string(text.get());
}

// Without a key: no signature is checked.
Jwt Decode(const std::string& token, const std::string& key) {
  jwt_t* raw = nullptr;
  const int error = jwt_decode(&raw, token.c_str(), key.empty() ? nullptr : Bytes(key),
                               static_cast<int>(key.size()));
  return Jwt(error == 0 ? raw : nullptr);
}

const SigningKeys::Key* FindKey(const SigningKeys& keys, const Jwt& unverified) {
  const char* id = jwt_get_header(unverified.get(), "kid");
  for (const SigningKeys::Key& key : keys.keys()) {
    if (id != nullptr && key.id == id) {
      return &key;
    }
  }
  return nullptr;
}

absl::StatusOr<Jwt> Verify(const SigningKeys& keys, std::string_view text,
                           std::string_view audience, std::string_view what,
                           std::int64_t unix_now) {
  const std::string token(text);
  const Jwt unverified = text.find('\0') == std::string_view::npos ? Decode(token, "") : nullptr;
  if (unverified == nullptr) {
    return Refuse(what, "is malformed");
  }
  const SigningKeys::Key* key = FindKey(keys, unverified);
  Jwt jwt = key == nullptr ? nullptr : Decode(token, key->secret.Reveal());
  // The algorithm is pinned: the header is the sender's word.
  if (jwt == nullptr || jwt_get_alg(jwt.get()) != JWT_ALG_HS256 || Grant(jwt, "aud") != audience) {
    return Refuse(what, "is not one of this service");
  }
  if (unix_now >= jwt_get_grant_int(jwt.get(), "exp")) {
    return Refuse(what, "has expired", absl::StatusCode::kDeadlineExceeded);
  }
  return jwt;
}

}  // namespace

std::string MintClientSecret(const SigningKeys& keys, const ClientSecretClaims& claims) {
  const Claims common{kClientSecretAudience, claims.issued_to, claims.expires_at, claims.id};
  const Jwt jwt = Begin(keys, common);
  if (jwt == nullptr || jwt_add_grant(jwt.get(), "profile", claims.profile.c_str()) != 0 ||
      jwt_add_grant(jwt.get(), "session", claims.session_json.c_str()) != 0 ||
      !AddLimit(jwt, kMaxSessions, claims.limits.max_sessions) ||
      !AddLimit(jwt, kSessionSeconds, claims.limits.session_seconds)) {
    return "";
  }
  const std::string token = Encode(jwt);
  return token.empty() ? token : std::string(kClientSecretPrefix) + token;
}

absl::StatusOr<ClientSecretClaims> VerifyClientSecret(const SigningKeys& keys,
                                                      std::string_view secret,
                                                      std::int64_t unix_now) {
  constexpr std::string_view kWhat = "client secret";
  if (!secret.starts_with(kClientSecretPrefix)) {
    return Refuse(kWhat, "is malformed");
  }
  const auto jwt = Verify(keys, secret.substr(kClientSecretPrefix.size()), kClientSecretAudience,
                          kWhat, unix_now);
  if (!jwt.ok()) {
    return jwt.status();
  }
  ClientSecretClaims claims;
  claims.id = Grant(*jwt, "jti");
  claims.issued_to = Grant(*jwt, "sub");
  claims.profile = Grant(*jwt, "profile");
  claims.session_json = Grant(*jwt, "session");
  claims.expires_at = jwt_get_grant_int(jwt->get(), "exp");
  claims.limits.max_sessions = Limit(*jwt, kMaxSessions);
  claims.limits.session_seconds = Limit(*jwt, kSessionSeconds);
  return claims;
}

std::string MintAccessToken(const SigningKeys& keys, std::string_view session_id,
                            std::int64_t expires_at) {
  const Jwt jwt = Begin(keys, Claims{kAccessTokenAudience, session_id, expires_at, NewId("jti")});
  return jwt == nullptr ? "" : Encode(jwt);
}

absl::Status VerifyAccessToken(const SigningKeys& keys, std::string_view token,
                               std::string_view session_id, std::int64_t unix_now) {
  constexpr std::string_view kWhat = "access token";
  const auto jwt = Verify(keys, token, kAccessTokenAudience, kWhat, unix_now);
  if (!jwt.ok()) {
    return jwt.status();
  }
  if (Grant(*jwt, "sub") != session_id) {
    return MakeStatus(absl::StatusCode::kPermissionDenied, "The {} is for another session.", kWhat);
  }
  return absl::OkStatus();
}

}  // namespace voicebridge::gateway

#include "gateway/client/auth.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdlib>
#include <optional>
#include <utility>

#include "common/core/base64.h"
#include "common/core/ids.h"
#include "common/core/status.h"

namespace voicebridge::gateway {
namespace {

constexpr std::size_t kSigningSecretBytesMin = 32;  // As long as the digest of HS256 (RFC 7518).
constexpr std::size_t kKeyNameLengthMax = 64;
constexpr std::string_view kSubprotocolPrefix = "openai-insecure-api-key.";
constexpr std::string_view kBearer = "bearer ";

// The two words of a line. Complaints never quote a word: it may be a secret in the wrong place.
struct KeyLine {
  std::size_t number;
  std::string_view name;
  std::string_view value;
};

std::vector<std::string_view> WordsOf(std::string_view line) {
  constexpr std::string_view kBlank = " \t\r";
  line = line.substr(0, line.find('#'));
  std::vector<std::string_view> words;
  while (true) {
    const std::size_t first = line.find_first_not_of(kBlank);
    if (first == std::string_view::npos) {
      return words;
    }
    line.remove_prefix(first);
    const std::size_t length = std::min(line.find_first_of(kBlank), line.size());
    words.push_back(line.substr(0, length));
    line.remove_prefix(length);
  }
}

bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= kKeyNameLengthMax &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
         });
}

absl::StatusOr<std::vector<KeyLine>> ParseKeyLines(std::string_view text, std::string_view form) {
  std::vector<KeyLine> lines;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const auto words = WordsOf(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (words.empty()) {
      continue;
    }
    if (words.size() != 2) {
      return InvalidArgument("line {}: expected {}", number, form);
    }
    if (!IsName(words[0])) {
      return InvalidArgument(
          "line {}: expected a name of at most {} letters, digits, '-', '_', '.'", number,
          kKeyNameLengthMax);
    }
    const bool repeated = std::any_of(lines.begin(), lines.end(), [&](const KeyLine& earlier) {
      return earlier.name == words[0];
    });
    if (repeated) {
      return InvalidArgument("line {}: this name stands on an earlier line already", number);
    }
    lines.push_back({number, words[0], words[1]});
  }
  return lines;
}

std::string Sha256(std::string_view text) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

std::optional<std::string> DecodeDigest(std::string_view hex) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  const auto nibble = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  };
  if (hex.size() != 2 * digest.size()) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < digest.size(); ++i) {
    const int high = nibble(hex[2 * i]);
    const int low = nibble(hex[2 * i + 1]);
    if (high < 0 || low < 0) {
      return std::nullopt;
    }
    digest[i] = static_cast<char>(high * 16 + low);
  }
  return digest;
}

bool StartsWithIgnoringCase(std::string_view text, std::string_view lower_case) {
  return text.size() >= lower_case.size() &&
         std::equal(lower_case.begin(), lower_case.end(), text.begin(), [](char a, char b) {
           return a == static_cast<char>(std::tolower(static_cast<unsigned char>(b)));
         });
}

std::variant<Caller, Refusal> IdentifySecret(const SigningKeys& keys, std::string_view secret,
                                             std::int64_t unix_now) {
  auto claims = VerifyClientSecret(keys, secret, unix_now);
  if (claims.ok()) {
    Caller caller{.name = claims->issued_to, .claims = {}, .may_mint = false};
    caller.claims = *std::move(claims);
    return caller;
  }
  Refusal refusal = RefusalOf(claims.status());
  if (refusal.reason == RefusalReason::kExpired) {
    claims = VerifyClientSecret(keys, secret, 0);  // It is ours, so that what it says is true.
    refusal.key = claims.ok() ? claims->issued_to : "";
    refusal.secret_id = claims.ok() ? claims->id : "";
  }
  return refusal;
}

// What a credential says, without regard to whether one is required.
std::variant<Caller, Refusal> Identify(const AuthPolicy& policy, const Secret& credential,
                                       std::int64_t unix_now) {
  if (credential.empty()) {
    return Refusal{.reason = RefusalReason::kNoCredential};
  }
  if (credential.Reveal().starts_with(kClientSecretPrefix)) {
    return IdentifySecret(policy.signing_keys, credential.Reveal(), unix_now);
  }
  const std::string* name = policy.api_keys.Find(credential.Reveal());
  if (name == nullptr) {
    return Refusal{.reason = RefusalReason::kWrongKey};
  }
  return Caller{.name = *name, .claims = {}, .may_mint = true};
}

}  // namespace

absl::StatusOr<ApiKeys> ApiKeys::Parse(std::string_view text) {
  const auto lines = ParseKeyLines(text, "NAME SHA256HEX");
  if (!lines.ok()) {
    return lines.status();
  }
  ApiKeys keys;
  for (const KeyLine& line : *lines) {
    auto digest = DecodeDigest(line.value);
    if (!digest) {
      return InvalidArgument("line {}: expected the SHA-256 digest of the key in hexadecimal",
                             line.number);
    }
    keys.names_by_digest_.emplace_back(*std::move(digest), line.name);
  }
  return keys;
}

const std::string* ApiKeys::Find(std::string_view key) const {
  const std::string digest = Sha256(key);
  const std::string* found = nullptr;
  for (const auto& [known, name] : names_by_digest_) {
    if (CRYPTO_memcmp(known.data(), digest.data(), digest.size()) == 0) {
      found = &name;  // Goes on, so that the time says nothing about where it stands.
    }
  }
  return found;
}

absl::StatusOr<SigningKeys> SigningKeys::Parse(std::string_view text) {
  const auto lines = ParseKeyLines(text, "KEY_ID SECRET");
  if (!lines.ok()) {
    return lines.status();
  }
  SigningKeys keys;
  for (const KeyLine& line : *lines) {
    auto secret = DecodeBase64(line.value);
    if (!secret || secret->size() < kSigningSecretBytesMin) {
      return InvalidArgument("line {}: expected at least {} random bytes in base64", line.number,
                             kSigningSecretBytesMin);
    }
    keys.keys_.push_back({std::string(line.name), Secret(*std::move(secret))});
  }
  if (keys.keys_.empty()) {
    return InvalidArgument("expected at least one line KEY_ID SECRET");
  }
  return keys;
}

SigningKeys SigningKeys::Random() {
  std::string secret(kSigningSecretBytesMin, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(secret.data()),
                 static_cast<int>(secret.size())) != 1) {
    std::abort();  // No random source: no signature could be trusted.
  }
  SigningKeys keys;
  keys.keys_.push_back({NewId("key"), Secret(std::move(secret))});
  return keys;
}

Secret CredentialOf(const HttpRequest& request) {
  const auto authorization = request.Header("Authorization");
  if (authorization && StartsWithIgnoringCase(*authorization, kBearer)) {
    std::string_view token = authorization->substr(kBearer.size());
    token.remove_prefix(std::min(token.find_first_not_of(' '), token.size()));
    return Secret(std::string(token));
  }
  for (const std::string_view protocol : request.HeaderList("Sec-WebSocket-Protocol")) {
    if (protocol.starts_with(kSubprotocolPrefix)) {
      return Secret(std::string(protocol.substr(kSubprotocolPrefix.size())));
    }
  }
  return Secret();
}

Refusal RefusalOf(const absl::Status& credential) {
  const RefusalReason reason = absl::IsDeadlineExceeded(credential) ? RefusalReason::kExpired
                               : absl::IsPermissionDenied(credential)
                                   ? RefusalReason::kForeignSession
                                   : RefusalReason::kForged;
  return Refusal{.reason = reason, .message = Message(credential)};
}

std::variant<Caller, Refusal> Authenticate(const AuthPolicy& policy, const HttpRequest& request,
                                           std::int64_t unix_now) {
  std::variant<Caller, Refusal> caller = Identify(policy, CredentialOf(request), unix_now);
  if (!policy.insecure_no_auth) {
    return caller;
  }
  // A good client secret still brings its profile, its session and its limits.
  if (std::holds_alternative<Refusal>(caller)) {
    caller = Caller{.name = "anonymous", .claims = {}, .may_mint = true};
  }
  std::get<Caller>(caller).may_mint = true;
  return caller;
}

}  // namespace voicebridge::gateway

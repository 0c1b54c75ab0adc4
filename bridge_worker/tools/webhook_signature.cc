#include "bridge_worker/tools/webhook_signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <optional>

#include "common/core/base64.h"
#include "common/core/status.h"

namespace voicebridge::worker {
namespace {

constexpr std::string_view kPrefix = "whsec_";
constexpr std::size_t kKeyBytesMin = 16;

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlank);
  return first == std::string_view::npos
             ? std::string_view()
             : text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

}  // namespace

absl::StatusOr<Secret> ParseWebhookSecret(std::string_view text) {
  const std::string_view trimmed = Trimmed(text);
  std::optional<std::string> key = std::string(trimmed);
  if (trimmed.starts_with(kPrefix)) {
    key = DecodeBase64(trimmed.substr(kPrefix.size()));
  }
  if (!key) {
    return InvalidArgument("expected base64 behind {}", kPrefix);
  }
  if (key->size() < kKeyBytesMin) {
    return InvalidArgument("expected a key of at least {} bytes", kKeyBytesMin);
  }
  return Secret(*std::move(key));
}

std::string WebhookSignature(const Secret& key, std::string_view id, std::int64_t unix_seconds,
                             std::string_view body) {
  const std::string& bytes = key.Reveal();
  const std::string signed_text = fmt::format("{}.{}.{}", id, unix_seconds, body);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned digest_bytes = 0;
  HMAC(EVP_sha256(), bytes.data(), static_cast<int>(bytes.size()),
       reinterpret_cast<const unsigned char*>(signed_text.data()), signed_text.size(),
       digest.data(), &digest_bytes);
  std::string signature = "v1,";
  AppendBase64({reinterpret_cast<const char*>(digest.data()), digest_bytes}, signature);
  return signature;
}

}  // namespace voicebridge::worker

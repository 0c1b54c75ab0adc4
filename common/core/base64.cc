#include "common/core/base64.h"

#include <absl/strings/escaping.h>
#include <openssl/evp.h>

#include <cstddef>

namespace voicebridge {
namespace {

// Whether the last character before the padding carries bits that belong to no byte, which absl
// allows.
bool HasBitsLeftOver(std::string_view text, std::size_t padding) {
  if (padding == 0) {
    return false;
  }
  const std::string_view without_leftover = padding == 2 ? "AQgw" : "AEIMQUYcgkosw048";
  return without_leftover.find(text[text.size() - 1 - padding]) == std::string_view::npos;
}

}  // namespace

void AppendBase64(std::string_view bytes, std::string& out) {
  const std::size_t before = out.size();
  const std::size_t length = (bytes.size() + 2) / 3 * 4;
  out.resize(before + length + 1);  // OpenSSL writes a terminating zero.
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data() + before),
                  reinterpret_cast<const unsigned char*>(bytes.data()),
                  static_cast<int>(bytes.size()));
  out.resize(before + length);
}

std::optional<std::string> DecodeBase64(std::string_view text) {
  if (text.size() % 4 != 0) {
    return std::nullopt;
  }
  std::string bytes;
  // absl skips white space and accepts missing padding: the length check refuses both.
  if (!absl::Base64Unescape(absl::string_view(text.data(), text.size()), &bytes)) {
    return std::nullopt;
  }
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  if (bytes.size() != text.size() / 4 * 3 - padding || HasBitsLeftOver(text, padding)) {
    return std::nullopt;
  }
  return bytes;
}

}  // namespace voicebridge

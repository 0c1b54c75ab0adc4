#include "common/core/ids.h"

#include <openssl/rand.h>

#include <array>
#include <cstddef>
#include <cstdlib>

namespace voicebridge {
namespace {

constexpr std::string_view kAlphabet =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::size_t kIdLength = 21;
// Bytes at or above this bound are rejected, so that each character is equally likely.
constexpr unsigned char kRejectFrom = static_cast<unsigned char>(256 - 256 % kAlphabet.size());

}  // namespace

std::string NewId(std::string_view prefix) {
  std::string id(prefix);
  id += '_';
  const std::size_t length = id.size() + kIdLength;
  std::array<unsigned char, 32> random{};
  while (id.size() < length) {
    if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1) {
      std::abort();  // No random source: no secret or id could be trusted.
    }
    for (const unsigned char byte : random) {
      if (byte < kRejectFrom && id.size() < length) {
        id += kAlphabet[byte % kAlphabet.size()];
      }
    }
  }
  return id;
}

}  // namespace voicebridge

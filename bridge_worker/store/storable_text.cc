#include "bridge_worker/store/storable_text.h"

#include <cstddef>

#include "common/json/escape.h"

namespace voicebridge::worker {

std::string StorableText(std::string_view text) {
  std::string storable;
  storable.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    const std::size_t length = byte >= 0x80 ? MultibyteLength(text, at) : (byte == 0 ? 0 : 1);
    storable += length == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(at, length);
    at += length == 0 ? 1 : length;
  }
  return storable;
}

}  // namespace voicebridge::worker

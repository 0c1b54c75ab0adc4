// The beginning of a text.
#pragma once

#include <cstddef>
#include <string_view>

namespace voicebridge::simulator {

// Cuts on a character of UTF-8.
inline std::string_view FirstBytes(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) {
    return text;
  }
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0U) == 0x80U) {
    --limit;
  }
  return text.substr(0, limit);
}

}  // namespace voicebridge::simulator

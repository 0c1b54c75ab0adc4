#include "common/json/escape.h"

#include <algorithm>

namespace voicebridge {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

unsigned char At(std::string_view text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

// The range of the second byte (RFC 3629): no overlong form, no surrogate, nothing above U+10FFFF.
bool SecondByteFits(unsigned char first, unsigned char second) {
  const unsigned char lowest = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned char highest = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  return second >= lowest && second <= highest;
}

void AppendEscape(unsigned char byte, std::string& out) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (byte) {
    case '"':
      out += "\\\"";
      break;
    case '\\':
      out += "\\\\";
      break;
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    default:
      out += "\\u00";
      out += kHex[byte >> 4U];
      out += kHex[byte & 0xFU];
  }
}

bool IsPlain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\';
}

}  // namespace

std::size_t MultibyteLength(std::string_view text, std::size_t i) {
  const unsigned char first = At(text, i);
  const std::size_t length = first >= 0xC2 && first <= 0xDF   ? 2
                             : first >= 0xE0 && first <= 0xEF ? 3
                             : first >= 0xF0 && first <= 0xF4 ? 4
                                                              : 0;
  if (length == 0 || i + length > text.size() || !SecondByteFits(first, At(text, i + 1))) {
    return 0;
  }
  for (std::size_t k = 2; k < length; ++k) {
    if ((At(text, i + k) & 0xC0U) != 0x80) {
      return 0;
    }
  }
  return length;
}

void AppendJsonString(std::string_view text, std::string& out) {
  out += '"';
  std::size_t i = 0;
  while (i < text.size()) {
    const auto plain_end =
        std::find_if_not(text.begin() + static_cast<std::ptrdiff_t>(i), text.end(), IsPlain);
    const auto plain = static_cast<std::size_t>(plain_end - text.begin()) - i;
    out.append(text.substr(i, plain));
    i += plain;
    if (i == text.size()) {
      break;
    }
    if (At(text, i) <= 0x7F) {
      AppendEscape(At(text, i), out);
      ++i;
    } else if (const std::size_t length = MultibyteLength(text, i); length > 0) {
      out.append(text.substr(i, length));
      i += length;
    } else {
      out += kReplacement;
      ++i;
    }
  }
  out += '"';
}

}  // namespace voicebridge

#include "tests/simulator/frames.h"

#include <algorithm>
#include <cstddef>

namespace voicebridge::simulator {
namespace {

constexpr unsigned kFinal = 0x80;
constexpr unsigned kContinuation = 0;
constexpr unsigned kText = 1;

std::string Frame(unsigned first_byte, std::string_view payload) {
  std::string frame(1, static_cast<char>(first_byte));
  const std::size_t size = payload.size();
  const unsigned length_bytes = size < 126 ? 0 : size < 65536 ? 2 : 8;
  frame += static_cast<char>(length_bytes == 0 ? size : length_bytes == 2 ? 126U : 127U);
  for (unsigned left = length_bytes; left > 0; --left) {
    frame += static_cast<char>((size >> (8 * (left - 1))) & 0xFFU);
  }
  frame += payload;
  return frame;
}

}  // namespace

std::string TextFrame(std::string_view payload) { return Frame(kFinal | kText, payload); }

std::vector<std::string> FragmentedText(std::string_view payload) {
  const std::size_t first = std::min<std::size_t>(1, payload.size());
  const std::size_t half = std::max(first, payload.size() / 2);
  return {Frame(kText, payload.substr(0, first)),
          Frame(kContinuation, payload.substr(first, half - first)),
          Frame(kContinuation, payload.substr(half)), Frame(kFinal | kContinuation, "")};
}

std::vector<std::string_view> PiecesOf(std::string_view bytes) {
  std::vector<std::string_view> pieces;
  for (std::size_t size = 1; !bytes.empty(); size *= 2) {
    pieces.push_back(bytes.substr(0, size));
    bytes.remove_prefix(pieces.back().size());
  }
  return pieces;
}

}  // namespace voicebridge::simulator

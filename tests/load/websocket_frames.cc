#include "tests/load/websocket_frames.h"

#include <fmt/format.h>

#include <cstring>

namespace voicebridge::load {
namespace {

constexpr std::uint8_t kFin = 0x80;
constexpr std::uint8_t kMasked = 0x80;
constexpr std::size_t kMaskBytes = 4;

void AppendBigEndian(std::uint64_t value, std::size_t bytes, std::string& out) {
  for (std::size_t i = bytes; i-- > 0;) {
    out += static_cast<char>(value >> (8 * i));
  }
}

std::uint64_t ReadBigEndian(const char* bytes, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    value = value << 8U | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

// `mask` as it lies in the frame.
void ApplyMask(char* bytes, std::size_t size, std::uint32_t mask) {
  const std::uint64_t wide = std::uint64_t{mask} << 32U | mask;
  std::size_t at = 0;
  for (; at + sizeof(wide) <= size; at += sizeof(wide)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes + at, sizeof(word));
    word ^= wide;
    std::memcpy(bytes + at, &word, sizeof(word));
  }
  for (unsigned shift = 0; at < size; ++at, shift += 8) {
    bytes[at] = static_cast<char>(bytes[at] ^ static_cast<char>(wide >> shift));
  }
}

ParsedFrame Malformed(std::string_view problem) {
  ParsedFrame frame;
  frame.state = ParsedFrame::State::kMalformed;
  frame.problem = problem;
  return frame;
}

bool IsKnown(unsigned opcode) {
  return opcode == 1 || opcode == 2 || (opcode >= 8 && opcode <= 10);
}

}  // namespace

void AppendFrame(Opcode opcode, std::string_view payload, std::optional<std::uint32_t> mask,
                 std::string& out) {
  out += static_cast<char>(kFin | static_cast<std::uint8_t>(opcode));
  const std::uint8_t masked = mask ? kMasked : 0;
  if (payload.size() < 126) {
    out += static_cast<char>(masked | payload.size());
  } else if (payload.size() <= 0xffff) {
    out += static_cast<char>(masked | 126U);
    AppendBigEndian(payload.size(), 2, out);
  } else {
    out += static_cast<char>(masked | 127U);
    AppendBigEndian(payload.size(), 8, out);
  }
  if (mask) {
    out.append(reinterpret_cast<const char*>(&*mask), kMaskBytes);
  }
  const std::size_t begin = out.size();
  out += payload;
  if (mask) {
    ApplyMask(out.data() + begin, payload.size(), *mask);
  }
}

std::string ClosePayload(std::uint16_t code, std::string_view reason) {
  std::string payload;
  AppendBigEndian(code, 2, payload);
  payload += reason;
  return payload;
}

std::string DescribeClose(std::string_view payload) {
  if (payload.size() < 2) {
    return "without a code";
  }
  const auto code = ReadBigEndian(payload.data(), 2);
  return payload.size() == 2 ? fmt::format("code {}", code)
                             : fmt::format("code {} ({})", code, payload.substr(2));
}

ParsedFrame ParseFrame(char* bytes, std::size_t size, bool masked, std::size_t payload_bytes_max) {
  if (size < 2) {
    return {};
  }
  const auto first = static_cast<unsigned char>(bytes[0]);
  const auto second = static_cast<unsigned char>(bytes[1]);
  if ((first & 0x70U) != 0 || !IsKnown(first & 0x0fU) || (first & kFin) == 0) {
    return Malformed("a fragment, an extension or an unknown opcode");
  }
  if (((second & kMasked) != 0) != masked) {
    return Malformed(masked ? "a frame that is not masked" : "a masked frame");
  }
  const unsigned length = second & 0x7fU;
  const std::size_t length_bytes = length == 126 ? 2 : length == 127 ? 8 : 0;
  const std::size_t header = 2 + length_bytes + (masked ? kMaskBytes : 0);
  if (size < header) {
    return {};
  }
  const std::uint64_t payload = length_bytes == 0 ? length : ReadBigEndian(bytes + 2, length_bytes);
  if (payload > payload_bytes_max) {
    return Malformed("a message above the limit");
  }
  if (size - header < payload) {
    return {};
  }
  if (masked) {
    std::uint32_t mask = 0;
    std::memcpy(&mask, bytes + header - kMaskBytes, kMaskBytes);
    ApplyMask(bytes + header, payload, mask);
  }
  return {ParsedFrame::State::kFrame,
          static_cast<Opcode>(first & 0x0fU),
          {bytes + header, payload},
          header + payload,
          {}};
}

}  // namespace voicebridge::load

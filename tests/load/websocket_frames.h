// WebSocket frames as bytes, as little of RFC 6455 as the hot path of a load tool needs. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace voicebridge::load {

enum class Opcode : std::uint8_t {
  kContinuation = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10,
};

// Appends one whole message. `mask` is what a client has to give and a server must not.
void AppendFrame(Opcode opcode, std::string_view payload, std::optional<std::uint32_t> mask,
                 std::string& out);

// The payload of a close frame.
std::string ClosePayload(std::uint16_t code, std::string_view reason);
// For people: "code 1011 (reason)".
std::string DescribeClose(std::string_view payload);

struct ParsedFrame {
  enum class State { kFrame, kIncomplete, kMalformed } state = State::kIncomplete;
  Opcode opcode = Opcode::kText;
  std::string_view payload;  // Unmasked, inside the bytes that were parsed.
  std::size_t bytes = 0;     // Of the whole frame.
  std::string_view problem;  // Of a malformed one.
};

// The frame at the beginning of `bytes`, unmasked in place. Malformed for us is also what is legal
// but never sent by the programs under test: fragments, extensions.
ParsedFrame ParseFrame(char* bytes, std::size_t size, bool masked, std::size_t payload_bytes_max);

}  // namespace voicebridge::load

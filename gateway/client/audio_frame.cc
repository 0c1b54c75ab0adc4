#include "gateway/client/audio_frame.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <limits>

#include "common/core/audio.h"
#include "common/core/limits.h"

namespace voicebridge::gateway {
namespace {

constexpr unsigned kInputAudio = 1;
constexpr unsigned kOutputAudio = 2;
constexpr std::size_t kCommonHeaderBytes = 4;
constexpr std::size_t kOutputHeaderBytes = 16;
constexpr std::size_t kU16Max = std::numeric_limits<std::uint16_t>::max();

unsigned ByteAt(std::string_view message, std::size_t index) {
  return static_cast<unsigned char>(message[index]);
}

template <class Unsigned>
void Append(Unsigned value, std::string& out) {
  for (std::size_t byte = 0; byte < sizeof(Unsigned); ++byte) {
    out += static_cast<char>((value >> (8 * byte)) & 0xFFU);
  }
}

DecodeError Refuse(std::string_view field, std::string_view expected, std::size_t got) {
  return DecodeError{ErrorEvent(
      "invalid_request_error", "invalid_value",
      fmt::format("Invalid binary message: expected {} {}, got {}.", field, expected, got), field,
      "")};
}

}  // namespace

Decoded DecodeAudioFrame(std::string_view message) {
  if (message.size() < kCommonHeaderBytes) {
    return Refuse("header", "of at least 4 bytes", message.size());
  }
  if (const unsigned kind = ByteAt(message, 0); kind != kInputAudio) {
    return Refuse("kind", "1 (input audio)", kind);
  }
  const std::size_t header_bytes = ByteAt(message, 2) | ByteAt(message, 3) << 8U;
  if (header_bytes < kCommonHeaderBytes || header_bytes % 2 != 0 || header_bytes > message.size()) {
    return Refuse("header_bytes", "even, at least 4 and within the message", header_bytes);
  }
  const std::string_view pcm = message.substr(header_bytes);
  if (pcm.size() % kBytesPerSample != 0 || pcm.size() > limits::kAppendAudioMax) {
    return Refuse("audio", "of whole PCM16 samples and at most 15 MiB", pcm.size());
  }
  return DecodedAudio{std::string(pcm)};
}

bool EncodeAudioFrame(const v1::ServerAudio& audio, std::string& out) {
  const std::string& response_id = audio.response_id();
  const std::string& item_id = audio.item_id();
  const std::size_t ids_bytes = response_id.size() + item_id.size();
  const std::size_t header_bytes = kOutputHeaderBytes + ids_bytes + ids_bytes % 2;
  if (header_bytes > kU16Max || audio.output_index() > kU16Max || audio.content_index() > kU16Max ||
      audio.first_sample() > std::numeric_limits<std::uint32_t>::max()) {
    return false;
  }
  out.clear();
  out.reserve(header_bytes + audio.pcm().size());
  out += static_cast<char>(kOutputAudio);
  out += '\0';
  Append(static_cast<std::uint16_t>(header_bytes), out);
  Append(static_cast<std::uint16_t>(audio.output_index()), out);
  Append(static_cast<std::uint16_t>(audio.content_index()), out);
  Append(static_cast<std::uint32_t>(audio.first_sample()), out);
  Append(static_cast<std::uint16_t>(response_id.size()), out);
  Append(static_cast<std::uint16_t>(item_id.size()), out);
  out += response_id;
  out += item_id;
  out.resize(header_bytes, '\0');
  out += audio.pcm();
  return true;
}

}  // namespace voicebridge::gateway

#include "tests/load/messages.h"

#include "common/core/base64.h"

namespace voicebridge::load {
namespace {

constexpr std::string_view kAppendHead = R"({"type":"input_audio_buffer.append","audio":")";
constexpr std::string_view kAppendTail = "\"}";
constexpr char kInputKind = 1;
constexpr char kOutputKind = 2;
constexpr std::size_t kInputHeaderBytes = 4;
constexpr std::size_t kHeadBytesMax = 512;  // Ids and indices; the audio comes last.

// The string member `key` (with its quotes and colon) of a message of this type. Both stand near
// the beginning in what real peers send.
std::optional<std::string_view> FindMember(std::string_view text, std::string_view type,
                                           std::string_view key) {
  const std::string_view head = text.substr(0, kHeadBytesMax);
  const std::size_t at = head.find(key);
  if (at == std::string_view::npos || head.substr(0, at).find(type) == std::string_view::npos) {
    return std::nullopt;
  }
  const std::size_t begin = at + key.size();
  const std::size_t end = text.find('"', begin);
  return end == std::string_view::npos ? std::nullopt
                                       : std::optional(text.substr(begin, end - begin));
}

}  // namespace

std::string_view SubprotocolOf(Wire wire) {
  return wire == Wire::kBinary ? "voicebridge.binary.v1" : "realtime";
}

void WriteInputAudio(Wire wire, std::string_view pcm, std::string& out) {
  out.clear();
  if (wire == Wire::kBinary) {
    out.append({kInputKind, 0, static_cast<char>(kInputHeaderBytes), 0});
    out += pcm;
    return;
  }
  out += kAppendHead;
  AppendBase64(pcm, out);
  out += kAppendTail;
}

std::optional<std::string_view> FindAppendedAudio(std::string_view text) {
  return FindMember(text, R"("type":"input_audio_buffer.append")", R"("audio":")");
}

std::optional<std::string_view> FindAudioDelta(std::string_view text) {
  return FindMember(text, R"("type":"response.output_audio.delta")", R"("delta":")");
}

std::optional<std::string_view> FindOutputAudio(std::string_view frame) {
  if (frame.size() < kInputHeaderBytes || frame[0] != kOutputKind) {
    return std::nullopt;
  }
  const auto header_bytes = static_cast<std::size_t>(static_cast<unsigned char>(frame[2]) |
                                                     static_cast<unsigned char>(frame[3]) << 8U);
  return header_bytes < kInputHeaderBytes || header_bytes > frame.size()
             ? std::nullopt
             : std::optional(frame.substr(header_bytes));
}

}  // namespace voicebridge::load

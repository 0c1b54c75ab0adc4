// What a load frame's audio holds: who sent it and when it was due, then noise. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace voicebridge::load {

struct FrameStamp {
  std::uint32_t session = 0;
  std::uint32_t sequence = 0;
  std::int64_t due_ns = 0;  // Since the start of the run.
  std::uint64_t run = 0;    // Tells the frames of one run from those of another.
};

constexpr std::size_t kStampBytes = 32;

// `bytes` is at least kStampBytes. The noise differs from frame to frame.
void WriteFrame(const FrameStamp& stamp, std::size_t bytes, std::string& out);
// nullopt: this is not the beginning of a load frame.
std::optional<FrameStamp> ReadStamp(std::string_view audio);

// A digest of a byte stream, however it is cut into pieces: FNV-1a over little-endian words of 64
// bits. It finds changed, lost and swapped bytes; it is no protection against malice.
class StreamDigest {
 public:
  void Add(std::string_view bytes);
  std::uint64_t value() const;

 private:
  void AddWord(std::uint64_t word) { hash_ = (hash_ ^ word) * kPrime; }

  static constexpr std::uint64_t kPrime = 0x100000001b3;
  std::uint64_t hash_ = 0xcbf29ce484222325;
  std::string rest_;  // Fewer than eight bytes.
};

}  // namespace voicebridge::load

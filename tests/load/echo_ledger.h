// What became of the frames of one session. Pure.
#pragma once

#include <cstdint>
#include <vector>

namespace voicebridge::load {

struct EchoCounts {
  std::uint64_t sent = 0;
  std::uint64_t echoed = 0;      // Different frames that came back.
  std::uint64_t duplicated = 0;  // Came back once more.
  std::uint64_t reordered = 0;   // Came back after one that was sent later.
  std::uint64_t foreign = 0;     // Audio that is no frame of this session, or was never sent.

  std::uint64_t Lost() const { return sent - echoed; }
  void Add(const EchoCounts& other);
};

class EchoLedger {
 public:
  explicit EchoLedger(std::uint32_t frames) : returned_(frames) {}

  // Frames are sent in the order of their numbers, without a gap.
  void Sent() { ++counts_.sent; }
  // True: the first echo of a frame that was sent.
  bool Returned(std::uint32_t sequence);
  void Foreign() { ++counts_.foreign; }

  const EchoCounts& counts() const { return counts_; }

 private:
  std::vector<bool> returned_;
  std::uint64_t next_ = 0;  // One after the latest that came back.
  EchoCounts counts_;
};

}  // namespace voicebridge::load

#include "tests/load/frame.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace voicebridge::load {
namespace {

static_assert(std::endian::native == std::endian::little, "stamps are written as they lie");

constexpr std::uint64_t kMagic = 0x31656d6172466276;  // "vbFrame1"

constexpr std::size_t kWord = sizeof(std::uint64_t);

struct Layout {
  std::uint64_t magic;
  std::uint32_t session;
  std::uint32_t sequence;
  std::int64_t due_ns;
  std::uint64_t run;
};
static_assert(sizeof(Layout) == kStampBytes);

std::uint64_t Load(const char* bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

// splitmix64.
std::uint64_t Next(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15;
  std::uint64_t mixed = state;
  mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111eb;
  return mixed ^ (mixed >> 31U);
}

}  // namespace

void WriteFrame(const FrameStamp& stamp, std::size_t bytes, std::string& out) {
  out.resize(bytes);
  const Layout layout{kMagic, stamp.session, stamp.sequence, stamp.due_ns, stamp.run};
  std::memcpy(out.data(), &layout, kStampBytes);
  std::uint64_t state = stamp.run ^ (std::uint64_t{stamp.session} << 32U | stamp.sequence);
  for (std::size_t at = kStampBytes; at < bytes; at += sizeof(std::uint64_t)) {
    const std::uint64_t noise = Next(state);
    std::memcpy(out.data() + at, &noise, std::min(sizeof(noise), bytes - at));
  }
}

std::optional<FrameStamp> ReadStamp(std::string_view audio) {
  Layout layout{};
  if (audio.size() < kStampBytes) {
    return std::nullopt;
  }
  std::memcpy(&layout, audio.data(), kStampBytes);
  if (layout.magic != kMagic) {
    return std::nullopt;
  }
  return FrameStamp{layout.session, layout.sequence, layout.due_ns, layout.run};
}

void StreamDigest::Add(std::string_view bytes) {
  if (!rest_.empty()) {
    const std::size_t taken = std::min(kWord - rest_.size(), bytes.size());
    rest_ += bytes.substr(0, taken);
    bytes.remove_prefix(taken);
    if (rest_.size() < kWord) {
      return;
    }
    AddWord(Load(rest_.data()));
    rest_.clear();
  }
  for (; bytes.size() >= kWord; bytes.remove_prefix(kWord)) {
    AddWord(Load(bytes.data()));
  }
  rest_ = bytes;
}

std::uint64_t StreamDigest::value() const {
  std::uint64_t hash = hash_;
  for (const char byte : rest_) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * kPrime;
  }
  return hash;
}

}  // namespace voicebridge::load

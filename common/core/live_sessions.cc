#include "common/core/live_sessions.h"

#include <algorithm>
#include <cstring>

namespace voicebridge {
namespace {

constexpr int kTriesMax = 64;

}  // namespace

bool LiveSessions::TryReserve(std::int64_t capacity) {
  std::int64_t count = count_.load();
  do {
    if (capacity > 0 && count >= capacity) {
      return false;
    }
  } while (!count_.compare_exchange_weak(count, count + 1));
  return true;
}

void LiveSessions::Show(std::size_t place, std::string_view session_id) {
  std::array<std::uint64_t, kWords> packed{};
  const std::size_t size = std::min(session_id.size(), sizeof(packed) - 1);
  auto* const bytes = reinterpret_cast<unsigned char*>(packed.data());
  bytes[0] = static_cast<unsigned char>(size);
  std::memcpy(bytes + 1, session_id.data(), size);

  Place& changed = places_[place];
  const std::uint32_t version = changed.version.load(std::memory_order_relaxed);
  changed.version.store(version + 1, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  for (std::size_t i = 0; i < kWords; ++i) {
    changed.words[i].store(packed[i], std::memory_order_relaxed);
  }
  changed.version.store(version + 2, std::memory_order_release);
}

LiveSessions::ShownId LiveSessions::Read(std::size_t place) const {
  const Place& looked_at = places_[place];
  std::array<std::uint64_t, kWords> packed{};
  ShownId id;
  for (int i = 0; i < kTriesMax; ++i) {
    const std::uint32_t before = looked_at.version.load(std::memory_order_acquire);
    for (std::size_t word = 0; word < kWords; ++word) {
      packed[word] = looked_at.words[word].load(std::memory_order_relaxed);
    }
    std::atomic_thread_fence(std::memory_order_acquire);
    if (before % 2 == 0 && looked_at.version.load(std::memory_order_relaxed) == before) {
      const auto* const bytes = reinterpret_cast<const unsigned char*>(packed.data());
      id.size_ = bytes[0];
      std::memcpy(id.bytes_.data(), bytes + 1, id.size_);
      return id;
    }
  }
  return id;
}

}  // namespace voicebridge

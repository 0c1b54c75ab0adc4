// The one audio format inside voicebridge: PCM16, mono, 24 kHz, little-endian.
#pragma once

#include <cstddef>
#include <cstdint>

namespace voicebridge {

inline constexpr std::uint64_t kSamplesPerSecond = 24'000;
inline constexpr std::uint64_t kSamplesPerMillisecond = kSamplesPerSecond / 1000;
inline constexpr std::size_t kBytesPerSample = 2;

constexpr std::uint64_t SamplesOfBytes(std::size_t bytes) { return bytes / kBytesPerSample; }

// Floors: a client never claims to have played a millisecond that it did not get.
constexpr std::uint64_t MillisecondsOfSamples(std::uint64_t samples) {
  return samples / kSamplesPerMillisecond;
}

constexpr std::uint64_t SamplesOfMilliseconds(std::uint64_t duration_ms) {
  return duration_ms * kSamplesPerMillisecond;
}

}  // namespace voicebridge

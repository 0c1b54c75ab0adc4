#include "deploy/ctl/wav.h"

#include <sndfile.h>
#include <soxr.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "common/core/audio.h"
#include "common/core/status.h"

namespace voicebridge::ctl {
namespace {

constexpr double kShortestSeconds = 0.1;  // OpenAI refuses to commit less.
constexpr double kLongestSeconds = 600;   // The file is held in memory.
constexpr float kFullScale = 32768.0F;

using SoundFile = std::unique_ptr<SNDFILE, decltype(&sf_close)>;

SoundFile Open(const std::string& path, int mode, SF_INFO& info) {
  return SoundFile(sf_open(path.c_str(), mode, &info), &sf_close);
}

absl::Status CheckLength(const std::string& path, const SF_INFO& info) {
  const double seconds = static_cast<double>(info.frames) / info.samplerate;
  if (info.frames <= 0) {
    return InvalidArgument("{}: holds no audio; expected a recording of speech", path);
  }
  if (seconds < kShortestSeconds) {
    return InvalidArgument("{}: holds {:.0f} ms of audio; a turn needs at least 100 ms", path,
                           seconds * 1000);
  }
  if (seconds > kLongestSeconds) {
    return InvalidArgument("{}: holds {:.0f} s of audio; expected at most {:.0f} s", path, seconds,
                           kLongestSeconds);
  }
  return absl::OkStatus();
}

bool IsOurFormat(const SF_INFO& info) {
  return info.samplerate == static_cast<int>(kSamplesPerSecond) && info.channels == 1 &&
         (info.format & SF_FORMAT_SUBMASK) == SF_FORMAT_PCM_16;
}

std::string ToPcm(const std::vector<std::int16_t>& samples) {
  std::string pcm(samples.size() * kBytesPerSample, '\0');
  std::memcpy(pcm.data(), samples.data(), pcm.size());
  return pcm;
}

absl::StatusOr<std::string> ReadUnchanged(const std::string& path, SNDFILE* file,
                                          const SF_INFO& info) {
  std::vector<std::int16_t> samples(static_cast<std::size_t>(info.frames));
  if (sf_readf_short(file, samples.data(), info.frames) != info.frames) {
    return InvalidArgument("{}: is cut off: {}", path, sf_strerror(file));
  }
  return ToPcm(samples);
}

absl::StatusOr<std::vector<float>> ReadMono(const std::string& path, SNDFILE* file,
                                            const SF_INFO& info) {
  const auto frames = static_cast<std::size_t>(info.frames);
  const auto channels = static_cast<std::size_t>(info.channels);
  std::vector<float> interleaved(frames * channels);
  if (sf_readf_float(file, interleaved.data(), info.frames) != info.frames) {
    return InvalidArgument("{}: is cut off: {}", path, sf_strerror(file));
  }
  std::vector<float> mono(frames);
  for (std::size_t frame = 0; frame < frames; ++frame) {
    float sum = 0;
    for (std::size_t channel = 0; channel < channels; ++channel) {
      sum += interleaved[frame * channels + channel];
    }
    mono[frame] = sum / static_cast<float>(channels);
  }
  return mono;
}

absl::StatusOr<std::vector<float>> Resample(const std::string& path, std::vector<float> mono,
                                            int rate) {
  if (rate == static_cast<int>(kSamplesPerSecond)) {
    return mono;
  }
  const double ratio = static_cast<double>(kSamplesPerSecond) / rate;
  const double length = std::ceil(static_cast<double>(mono.size()) * ratio);
  std::vector<float> resampled(static_cast<std::size_t>(length));
  std::size_t done = 0;
  const soxr_error_t error =
      soxr_oneshot(rate, static_cast<double>(kSamplesPerSecond), 1, mono.data(), mono.size(),
                   nullptr, resampled.data(), resampled.size(), &done, nullptr, nullptr, nullptr);
  if (error != nullptr) {
    return InvalidArgument("{}: cannot be resampled from {} Hz: {}", path, rate,
                           soxr_strerror(error));
  }
  resampled.resize(done);
  return resampled;
}

std::string Quantise(const std::vector<float>& mono) {
  std::vector<std::int16_t> samples(mono.size());
  std::transform(mono.begin(), mono.end(), samples.begin(), [](float value) {
    const float scaled = std::clamp(value * kFullScale, -kFullScale, kFullScale - 1);
    return static_cast<std::int16_t>(std::lrintf(scaled));
  });
  return ToPcm(samples);
}

}  // namespace

absl::StatusOr<std::string> ReadSpeech(const std::string& path) {
  SF_INFO info{};
  const SoundFile file = Open(path, SFM_READ, info);
  if (file == nullptr) {
    return InvalidArgument("{}: cannot be read as a sound file: {}", path, sf_strerror(nullptr));
  }
  if (absl::Status status = CheckLength(path, info); !status.ok()) {
    return status;
  }
  if (IsOurFormat(info)) {
    return ReadUnchanged(path, file.get(), info);
  }
  absl::StatusOr<std::vector<float>> mono = ReadMono(path, file.get(), info);
  if (!mono.ok()) {
    return mono.status();
  }
  absl::StatusOr<std::vector<float>> resampled = Resample(path, *std::move(mono), info.samplerate);
  if (!resampled.ok()) {
    return resampled.status();
  }
  return Quantise(*resampled);
}

absl::Status WriteWav(const std::string& path, std::string_view pcm) {
  SF_INFO info{};
  info.samplerate = static_cast<int>(kSamplesPerSecond);
  info.channels = 1;
  info.format = SF_FORMAT_WAV | SF_FORMAT_PCM_16;
  const SoundFile file = Open(path, SFM_WRITE, info);
  if (file == nullptr) {
    return InvalidArgument("{}: cannot be written: {}", path, sf_strerror(nullptr));
  }
  std::vector<std::int16_t> samples(SamplesOfBytes(pcm.size()));
  std::memcpy(samples.data(), pcm.data(), samples.size() * kBytesPerSample);
  const auto count = static_cast<sf_count_t>(samples.size());
  if (sf_write_short(file.get(), samples.data(), count) != count) {
    return InvalidArgument("{}: cannot be written: {}", path, sf_strerror(file.get()));
  }
  return absl::OkStatus();
}

}  // namespace voicebridge::ctl

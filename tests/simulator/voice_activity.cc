#include "tests/simulator/voice_activity.h"

#include <cmath>

#include "common/core/audio.h"

namespace voicebridge::simulator {
namespace {

constexpr std::uint64_t kFrameMs = 20;
constexpr std::uint64_t kFrameSamples = SamplesOfMilliseconds(kFrameMs);
constexpr std::size_t kFrameBytes = kFrameSamples * kBytesPerSample;
// A click of one frame is no speech.
constexpr std::uint64_t kVoicedFramesToStart = 3;
constexpr double kRmsAtThresholdOne = 0.03;

double Rms(std::string_view frame) {
  double sum = 0;
  for (std::size_t at = 0; at + 1 < frame.size(); at += kBytesPerSample) {
    const auto low = static_cast<std::uint8_t>(frame[at]);
    const auto high = static_cast<std::uint8_t>(frame[at + 1]);
    const auto sample = static_cast<std::int16_t>(static_cast<std::uint16_t>(low | high << 8));
    const double level = sample / 32768.0;
    sum += level * level;
  }
  const std::size_t samples = frame.size() / kBytesPerSample;
  return std::sqrt(sum / static_cast<double>(samples));
}

}  // namespace

std::vector<SpeechEdge> VoiceActivity::Feed(std::string_view pcm) {
  std::vector<SpeechEdge> edges;
  if (!partial_.empty()) {
    const std::size_t missing = std::min(kFrameBytes - partial_.size(), pcm.size());
    partial_.append(pcm.substr(0, missing));
    pcm.remove_prefix(missing);
    if (partial_.size() < kFrameBytes) {
      return edges;
    }
    FeedFrame(partial_, edges);
    partial_.clear();
  }
  while (pcm.size() >= kFrameBytes) {
    FeedFrame(pcm.substr(0, kFrameBytes), edges);
    pcm.remove_prefix(kFrameBytes);
  }
  partial_.assign(pcm);
  return edges;
}

void VoiceActivity::Reset() {
  speaking_ = false;
  voiced_frames_ = 0;
  silent_frames_ = 0;
}

void VoiceActivity::FeedFrame(std::string_view frame, std::vector<SpeechEdge>& edges) {
  position_ += kFrameSamples;
  if (Rms(frame) >= options_.threshold * kRmsAtThresholdOne) {
    CountVoiced(edges);
  } else {
    CountSilent(edges);
  }
}

void VoiceActivity::CountVoiced(std::vector<SpeechEdge>& edges) {
  silent_frames_ = 0;
  ++voiced_frames_;
  if (!speaking_ && voiced_frames_ >= kVoicedFramesToStart) {
    speaking_ = true;
    edges.push_back({SpeechEdge::Kind::kStarted, position_ - voiced_frames_ * kFrameSamples});
  }
}

void VoiceActivity::CountSilent(std::vector<SpeechEdge>& edges) {
  voiced_frames_ = 0;
  if (!speaking_) {
    return;
  }
  ++silent_frames_;
  if (silent_frames_ * kFrameMs >= options_.silence_duration_ms) {
    Reset();
    edges.push_back({SpeechEdge::Kind::kStopped, position_});
  }
}

}  // namespace voicebridge::simulator

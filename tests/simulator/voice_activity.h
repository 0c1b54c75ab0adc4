// Energy-based voice activity detection on sample time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace voicebridge::simulator {

struct VoiceActivityOptions {
  double threshold = 0.5;  // 0..1, as in turn_detection; 0.5 is about -36 dBFS.
  std::uint64_t silence_duration_ms = 200;
};

// Speech began or ended at this sample, counted over everything that was ever fed.
struct SpeechEdge {
  enum class Kind { kStarted, kStopped };
  Kind kind;
  std::uint64_t sample;
};

// Looks at frames of 20 ms. Knows no clock: audio may be fed at any speed. Owned by one session.
class VoiceActivity {
 public:
  explicit VoiceActivity(std::uint64_t first_sample) : position_(first_sample) {}

  void Configure(const VoiceActivityOptions& options) { options_ = options; }

  // Started: at the first voiced frame. Stopped: where the silence has lasted silence_duration_ms.
  std::vector<SpeechEdge> Feed(std::string_view pcm);

  // Forgets the utterance in progress: its audio was committed or cleared by the client.
  void Reset();

  bool speaking() const { return speaking_; }

 private:
  void FeedFrame(std::string_view frame, std::vector<SpeechEdge>& edges);
  void CountVoiced(std::vector<SpeechEdge>& edges);
  void CountSilent(std::vector<SpeechEdge>& edges);

  VoiceActivityOptions options_;
  std::string partial_;              // Less than a frame.
  std::uint64_t position_;           // Of the next frame.
  std::uint64_t voiced_frames_ = 0;  // In a row.
  std::uint64_t silent_frames_ = 0;  // In a row, while speaking.
  bool speaking_ = false;
};

}  // namespace voicebridge::simulator

// Where the user's audio stands: what is buffered upstream, and what became an item.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace voicebridge::worker {

// Positions are samples of the whole session. The client's commits are confirmed in order; at most
// 64 wait, beyond which the oldest is taken for answered. Offsets that voice activity reports count
// from the first sample that this upstream was sent.
class InputAudio {
 public:
  static constexpr std::size_t kPendingMax = 64;
  static constexpr std::uint64_t kCommitMin = 2'400;  // 100 ms; OpenAI refuses less.

  void Appended(std::uint64_t first_sample, std::uint64_t samples);
  void Cleared() { buffer_start_ = position_; }

  // Sample count of what a commit would take.
  std::uint64_t Buffered() const { return position_ - buffer_start_; }

  void CommitSent(std::string event_id, std::string client_event_id);
  // The client's id of the commit that was refused; its audio is still in the buffer.
  std::optional<std::string> CommitRefused(std::string_view event_id);

  // Voice activity found the end of this item's audio.
  void SpeechEnded(std::string_view item_id, std::uint64_t audio_end_ms);

  struct Commit {
    std::uint64_t through_sample = 0;
    bool by_voice_activity = false;
  };
  // nullopt: nothing is known about this commit.
  std::optional<Commit> Committed(std::string_view item_id);

 private:
  struct Pending {
    std::string event_id;
    std::string client_event_id;
    std::uint64_t buffer_start;
    std::uint64_t through_sample;
  };

  std::optional<std::uint64_t> base_;
  std::uint64_t position_ = 0;
  std::uint64_t buffer_start_ = 0;
  std::deque<Pending> pending_;
  std::string speech_item_id_;
  std::uint64_t speech_end_ = 0;
};

}  // namespace voicebridge::worker

#include "bridge_worker/conversation/input_audio.h"

#include <algorithm>
#include <utility>

#include "common/core/audio.h"

namespace voicebridge::worker {

void InputAudio::Appended(std::uint64_t first_sample, std::uint64_t samples) {
  if (!base_) {
    base_ = first_sample;
    position_ = first_sample;
    buffer_start_ = first_sample;
  }
  position_ += samples;
}

void InputAudio::CommitSent(std::string event_id, std::string client_event_id) {
  if (pending_.size() >= kPendingMax) {
    pending_.pop_front();
  }
  pending_.push_back({std::move(event_id), std::move(client_event_id), buffer_start_, position_});
  buffer_start_ = position_;
}

std::optional<std::string> InputAudio::CommitRefused(std::string_view event_id) {
  const auto refused = std::find_if(pending_.begin(), pending_.end(), [&](const Pending& commit) {
    return commit.event_id == event_id;
  });
  if (refused == pending_.end()) {
    return std::nullopt;
  }
  // Only what no later commit or clear has taken is in the buffer again.
  if (buffer_start_ == refused->through_sample) {
    buffer_start_ = refused->buffer_start;
  }
  std::string client_event_id = std::move(refused->client_event_id);
  pending_.erase(refused);
  return client_event_id;
}

void InputAudio::SpeechEnded(std::string_view item_id, std::uint64_t audio_end_ms) {
  speech_item_id_ = item_id;
  speech_end_ = std::min(position_, base_.value_or(0) + SamplesOfMilliseconds(audio_end_ms));
}

std::optional<InputAudio::Commit> InputAudio::Committed(std::string_view item_id) {
  if (!item_id.empty() && item_id == speech_item_id_) {
    speech_item_id_.clear();
    buffer_start_ = std::max(buffer_start_, speech_end_);
    return Commit{speech_end_, true};
  }
  if (pending_.empty()) {
    return std::nullopt;
  }
  const Commit commit{pending_.front().through_sample, false};
  pending_.pop_front();
  return commit;
}

}  // namespace voicebridge::worker

// How long a user waits for the first sound of an answer.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/core/time.h"

namespace voicebridge {

// From the end of what was said, a commit or what voice activity detection found, to the first
// audio of another response than the one that was heard last. Owned by a session, used on its
// executor.
class AnswerTimer {
 public:
  void TurnEnded(TimePoint now) { ended_ = now; }
  // The user speaks on, or wants no answer: nothing is waited for.
  void Forget() { ended_.reset(); }

  // Called for all audio. When the turn ended that this answers; once per turn.
  std::optional<TimePoint> Heard(std::string_view response_id) {
    if (response_id == heard_) {
      return std::nullopt;
    }
    heard_ = response_id;
    const std::optional<TimePoint> ended = ended_;
    ended_.reset();
    return ended;
  }

 private:
  std::optional<TimePoint> ended_;
  std::string heard_;
};

}  // namespace voicebridge

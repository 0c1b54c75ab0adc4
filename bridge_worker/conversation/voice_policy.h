// When a voice may be changed: only before any assistant audio, and with no response in progress.
#pragma once

#include <string>
#include <string_view>

namespace voicebridge::worker {

struct VoiceSituation {
  bool same_as_current = false;
  bool assistant_audio_heard = false;
  bool response_in_progress = false;  // Requested or open, of whatever conversation.
};

enum class VoiceDecision {
  kSend,     // Legal: it goes to the upstream.
  kDrop,     // Nothing to change: it is left out.
  kAskOnly,  // Not legal any more: it is left out, and the instructions carry the wish.
};

VoiceDecision DecideVoice(const VoiceSituation& situation);

// The instructions with one sentence that carries the wish, in place of an earlier one.
std::string WithVoiceWish(std::string_view instructions, std::string_view voice);

// The instructions without that sentence.
std::string_view WithoutVoiceWish(std::string_view instructions);

}  // namespace voicebridge::worker

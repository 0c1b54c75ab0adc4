#include "bridge_worker/conversation/voice_policy.h"

#include <fmt/format.h>

namespace voicebridge::worker {
namespace {

// Always the last paragraph, so that it can be found and replaced.
constexpr std::string_view kWishBegins = "\n\nVoice wish: ";

}  // namespace

VoiceDecision DecideVoice(const VoiceSituation& situation) {
  if (situation.same_as_current) {
    return VoiceDecision::kDrop;
  }
  if (situation.assistant_audio_heard || situation.response_in_progress) {
    return VoiceDecision::kAskOnly;
  }
  return VoiceDecision::kSend;
}

std::string WithVoiceWish(std::string_view instructions, std::string_view voice) {
  return fmt::format(
      "{}{}the user would like to hear the voice '{}'. The voice itself cannot be changed any "
      "more; "
      "suit tone, pace and manner of speaking to that wish as well as you can.",
      WithoutVoiceWish(instructions), kWishBegins, voice);
}

std::string_view WithoutVoiceWish(std::string_view instructions) {
  return instructions.substr(0, instructions.rfind(kWishBegins));
}

}  // namespace voicebridge::worker

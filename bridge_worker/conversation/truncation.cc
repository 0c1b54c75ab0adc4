#include "bridge_worker/conversation/truncation.h"

#include <algorithm>

#include "common/core/audio.h"

namespace voicebridge::worker {
namespace {

bool IsContinuationByte(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

}  // namespace

TruncatePlan PlanTruncate(const ItemAudioState& audio, std::uint64_t requested_ms) {
  const std::uint64_t available = MillisecondsOfSamples(std::min(audio.sent, audio.generated));
  const std::uint64_t audio_end_ms = std::min(requested_ms, available);
  if (audio_end_ms == 0) {
    return {TruncateAction::kDelete, 0};
  }
  if (audio.complete && audio_end_ms >= MillisecondsOfSamples(audio.generated)) {
    return {TruncateAction::kPlayedToEnd, audio_end_ms};
  }
  return {TruncateAction::kTruncate, audio_end_ms};
}

std::string_view CutTranscript(std::string_view transcript, std::uint64_t kept,
                               std::uint64_t total) {
  if (kept >= total) {
    return transcript;
  }
  const double share = static_cast<double>(kept) / static_cast<double>(total);
  auto end = static_cast<std::size_t>(share * static_cast<double>(transcript.size()));
  if (end < transcript.size() && transcript[end] != ' ') {
    const std::size_t space = transcript.substr(0, end).rfind(' ');
    if (space != std::string_view::npos) {
      end = space;
    } else if (transcript.find(' ') != std::string_view::npos) {
      end = 0;  // Inside the first word.
    }
  }
  while (end > 0 && end < transcript.size() && IsContinuationByte(transcript[end])) {
    --end;  // Languages without spaces are cut between characters.
  }
  while (end > 0 && transcript[end - 1] == ' ') {
    --end;
  }
  return transcript.substr(0, end);
}

}  // namespace voicebridge::worker

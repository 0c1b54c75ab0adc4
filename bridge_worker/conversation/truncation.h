// What a conversation.item.truncate becomes: OpenAI refuses most of the careless ones, so each is
// brought into a form that is accepted, or answered without asking.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace voicebridge::worker {

// The assistant audio of an item, in samples.
struct ItemAudioState {
  std::uint64_t sent = 0;       // To the client.
  std::uint64_t generated = 0;  // By the upstream, or kept after an earlier truncate.
  bool complete = false;        // No more can come: the item is done or was truncated before.
};

enum class TruncateAction {
  kDelete,       // Nothing was heard: the item goes.
  kPlayedToEnd,  // Nothing is cut: a truncate would only remove the transcript.
  kTruncate,
};

struct TruncatePlan {
  TruncateAction action;
  std::uint64_t audio_end_ms;  // Never more than the client was sent.
};

TruncatePlan PlanTruncate(const ItemAudioState& audio, std::uint64_t requested_ms);

// The part of `transcript` that belongs to `kept` of `total` samples, cut at the end of a word.
std::string_view CutTranscript(std::string_view transcript, std::uint64_t kept,
                               std::uint64_t total);

}  // namespace voicebridge::worker

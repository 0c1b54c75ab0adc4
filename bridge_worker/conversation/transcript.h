// The conversation's items in their order: the owner of the snapshot.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/json/json.h"
#include "voicebridge/v1/conversation.pb.h"

namespace voicebridge::worker {

// Each change is applied to the snapshot at once, as the delta that the gateway will apply to its
// copy, and TakeDeltas hands the deltas out. What an event does not change makes no delta.
//
// Order is that of the conversation (previous_item_id), never that of arrival; a delta names the
// predecessor that each of its items has now, so that a store of single items knows the order, too.
// Transcripts belong to items by id. An audio part's text is kept in ConversationItem.transcript
// only, so that there is one place to cut. A tool call is announced once, whichever event says
// first that it is complete.
//
// Bounds: the snapshot is condensed to 1 MiB; transcripts of at most 64 unfinished items are
// gathered, 64 KiB each; the ids of the newest 256 tool calls and 64 deleted items are remembered.
class Transcript {
 public:
  Transcript(const std::string& session_id, const std::string& profile);

  // Goes on from what an earlier attachment left. Before anything else.
  void Restore(const v1::ConversationSnapshot& snapshot);

  const v1::ConversationSnapshot& snapshot() const { return snapshot_; }

  // The last frame that went to the gateway; the deltas that follow say that they cover it.
  void CoverSeq(std::uint64_t seq) { covers_seq_ = seq; }
  std::vector<v1::SnapshotDelta> TakeDeltas();

  void SetSession(std::string session_json);
  void AudioHeard();
  void SetInterview(const v1::InterviewState& state);

  struct Placement {
    bool known = false;    // Otherwise: at the end.
    std::string previous;  // Empty: first.
  };
  // The user's audio before this sample has become this item; its content follows.
  void Committed(const std::string& item_id, const Placement& placement,
                 std::uint64_t through_sample, bool transcribed);
  void ItemAdded(const json::object& item, const Placement& placement, bool transcribed);
  void ItemDone(const json::object& item, const Placement& placement, std::uint64_t audio_samples);
  void ItemDeleted(std::string_view item_id);
  void ItemTruncated(std::string_view item_id, std::uint64_t kept_samples,
                     std::uint64_t total_samples);

  void TranscriptGrew(std::string_view item_id, std::string_view delta);
  void TranscriptionCompleted(std::string_view item_id, std::string_view transcript);
  void TranscriptionFailed(std::string_view item_id);

  // nullptr: not in the conversation, or condensed.
  const v1::ConversationItem* Find(std::string_view item_id) const;
  bool KnowsCall(std::string_view call_id) const;
  void RememberCall(std::string_view call_id);

 private:
  struct Growing {
    std::string item_id;
    std::string text;
  };

  v1::ConversationItem Draft(std::string_view item_id) const;
  v1::PlacedItem& Place(const Placement& placement, v1::SnapshotDelta& delta) const;
  bool WasDeleted(std::string_view item_id) const;
  void Change(v1::ConversationItem item, const Placement& placement);
  void Answered(std::string_view call_id);
  void Publish(v1::SnapshotDelta delta);
  std::vector<std::string> NewIn(const v1::SnapshotDelta& delta) const;
  std::vector<std::string> BehindDeleted(const v1::SnapshotDelta& delta) const;
  std::string Behind(std::string_view item_id) const;
  void NamePredecessor(v1::PlacedItem& placed) const;
  std::string TakeGrown(std::string_view item_id);
  std::string* Grown(std::string_view item_id);

  v1::ConversationSnapshot snapshot_;
  std::uint64_t covers_seq_ = 0;
  std::vector<v1::SnapshotDelta> deltas_;
  std::deque<Growing> growing_;
  std::deque<std::string> deleted_;  // Events about them may still arrive; they do not come back.
  std::deque<std::string> calls_;
};

}  // namespace voicebridge::worker

#include "bridge_worker/conversation/transcript.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/string.hpp>
#include <utility>

#include "bridge_worker/conversation/push_bounded.h"
#include "bridge_worker/conversation/truncation.h"
#include "common/core/limits.h"
#include "common/core/snapshot.h"

namespace voicebridge::worker {
namespace {

constexpr std::size_t kGrowingMax = 64;
constexpr std::size_t kGrowingBytesMax = 64U << 10U;
constexpr std::size_t kDeletedMax = 64;
constexpr std::size_t kCallsMax = 256;

bool IsAudioPart(const json::object& part) {
  const std::string_view type = StringOr(part, "type");
  return type == "input_audio" || type == "output_audio" || type == "audio";
}

// What an item says about its own audio.
struct AudioContent {
  bool present = false;
  bool has_transcript = false;
  std::string transcript;
};

AudioContent AudioContentOf(const json::object& item) {
  AudioContent content;
  const json::array* parts = FindArray(item, "content");
  if (parts == nullptr) {
    return content;
  }
  for (const json::value& value : *parts) {
    const json::object* part = value.if_object();
    if (part == nullptr || !IsAudioPart(*part)) {
      continue;
    }
    content.present = true;
    if (const json::string* transcript = FindString(*part, "transcript")) {
      content.has_transcript = true;
      content.transcript += View(*transcript);
    }
  }
  return content;
}

std::string StoredJson(json::object item) {
  if (json::value* content = item.if_contains("content"); content && content->is_array()) {
    for (json::value& value : content->get_array()) {
      json::object* part = value.if_object();
      if (part != nullptr && IsAudioPart(*part)) {
        part->erase("audio");
        part->erase("transcript");
      }
    }
  }
  return json::serialize(item);
}

bool IsComplete(const json::object& item) { return StringOr(item, "status") == "completed"; }

bool SameItem(const v1::ConversationItem& a, const v1::ConversationItem& b) {
  return a.item_json() == b.item_json() && a.transcript() == b.transcript() &&
         a.transcript_state() == b.transcript_state() && a.audio_samples() == b.audio_samples() &&
         a.done() == b.done() && a.tool_call() == b.tool_call();
}

}  // namespace

Transcript::Transcript(const std::string& session_id, const std::string& profile) {
  snapshot_.set_session_id(session_id);
  snapshot_.set_profile(profile);
}

void Transcript::Restore(const v1::ConversationSnapshot& snapshot) {
  snapshot_ = snapshot;
  covers_seq_ = snapshot.covers_seq();
}

std::vector<v1::SnapshotDelta> Transcript::TakeDeltas() { return std::exchange(deltas_, {}); }

void Transcript::SetSession(std::string session_json) {
  if (snapshot_.settings().session_json() == session_json) {
    return;
  }
  v1::SnapshotDelta delta;
  delta.mutable_settings()->set_session_json(std::move(session_json));
  Publish(std::move(delta));
}

void Transcript::AudioHeard() {
  if (!snapshot_.assistant_audio_heard()) {
    v1::SnapshotDelta delta;
    delta.set_assistant_audio_heard(true);
    Publish(std::move(delta));
  }
}

void Transcript::SetInterview(const v1::InterviewState& state) {
  if (state.phase() == v1::InterviewState::PHASE_UNSPECIFIED ||
      state.SerializeAsString() == snapshot_.interview().SerializeAsString()) {
    return;
  }
  v1::SnapshotDelta delta;
  *delta.mutable_interview() = state;
  Publish(std::move(delta));
}

void Transcript::Committed(const std::string& item_id, const Placement& placement,
                           std::uint64_t through_sample, bool transcribed) {
  v1::SnapshotDelta delta;
  delta.set_committed_through_sample(through_sample);
  if (!item_id.empty() && Find(item_id) == nullptr) {
    v1::ConversationItem& item = *Place(placement, delta).mutable_item();
    item.set_id(item_id);
    json::object content{{"type", "input_audio"}};
    json::object body{{"id", json::string(item_id)},
                      {"type", "message"},
                      {"role", "user"},
                      {"content", json::array{std::move(content)}}};
    item.set_item_json(json::serialize(body));
    item.set_transcript_state(transcribed ? v1::TRANSCRIPT_STATE_PENDING
                                          : v1::TRANSCRIPT_STATE_UNSPECIFIED);
  }
  Publish(std::move(delta));
}

void Transcript::ItemAdded(const json::object& item, const Placement& placement, bool transcribed) {
  v1::ConversationItem draft = Draft(StringOr(item, "id"));
  if (draft.done()) {
    return;  // Its final form is known already.
  }
  draft.set_item_json(StoredJson(item));
  const AudioContent audio = AudioContentOf(item);
  if (audio.has_transcript && StringOr(item, "role") == "user") {
    draft.set_transcript(audio.transcript);
    draft.set_transcript_state(v1::TRANSCRIPT_STATE_COMPLETED);
  } else if (audio.present && transcribed && StringOr(item, "role") == "user" &&
             draft.transcript_state() == v1::TRANSCRIPT_STATE_UNSPECIFIED) {
    draft.set_transcript_state(v1::TRANSCRIPT_STATE_PENDING);
  }
  Change(std::move(draft), placement);
  if (StringOr(item, "type") == "function_call") {
    RememberCall(StringOr(item, "call_id"));
  } else if (StringOr(item, "type") == "function_call_output") {
    Answered(StringOr(item, "call_id"));
  }
}

void Transcript::ItemDone(const json::object& item, const Placement& placement,
                          std::uint64_t audio_samples) {
  v1::ConversationItem draft = Draft(StringOr(item, "id"));
  draft.set_item_json(StoredJson(item));
  draft.set_done(true);
  const std::string grown = TakeGrown(draft.id());
  const AudioContent audio = AudioContentOf(item);
  if (StringOr(item, "role") == "assistant" && (audio.present || audio_samples > 0) &&
      draft.transcript_state() != v1::TRANSCRIPT_STATE_COMPLETED) {  // Else it was cut before.
    draft.set_audio_samples(audio_samples);
    draft.set_transcript(audio.has_transcript ? audio.transcript : grown);
    draft.set_transcript_state(v1::TRANSCRIPT_STATE_COMPLETED);
  }
  if (StringOr(item, "type") == "function_call") {
    RememberCall(StringOr(item, "call_id"));
    // The done events of an interrupted response carry partial arguments.
    if (IsComplete(item) && draft.tool_call() == v1::TOOL_CALL_STATE_UNSPECIFIED) {
      draft.set_tool_call(v1::TOOL_CALL_STATE_ANNOUNCED);
    }
  }
  Change(std::move(draft), placement);
}

void Transcript::ItemDeleted(std::string_view item_id) {
  TakeGrown(item_id);
  PushBounded(deleted_, std::string(item_id), kDeletedMax);
  if (Find(item_id) != nullptr) {
    v1::SnapshotDelta delta;
    delta.add_deleted_item_ids(std::string(item_id));
    Publish(std::move(delta));
  }
}

void Transcript::ItemTruncated(std::string_view item_id, std::uint64_t kept_samples,
                               std::uint64_t total_samples) {
  if (Find(item_id) == nullptr) {
    return;
  }
  v1::ConversationItem draft = Draft(item_id);
  if (draft.transcript_state() != v1::TRANSCRIPT_STATE_COMPLETED) {
    draft.set_transcript(TakeGrown(item_id));
  }
  draft.set_audio_samples(kept_samples);
  draft.set_transcript_state(v1::TRANSCRIPT_STATE_COMPLETED);
  draft.set_transcript(std::string(CutTranscript(draft.transcript(), kept_samples, total_samples)));
  Change(std::move(draft), {});
}

void Transcript::TranscriptGrew(std::string_view item_id, std::string_view delta) {
  const v1::ConversationItem* item = Find(item_id);
  if (item == nullptr || item->transcript_state() == v1::TRANSCRIPT_STATE_COMPLETED) {
    return;  // Out of band, or cut already.
  }
  std::string* text = Grown(item_id);
  if (text == nullptr) {
    PushBounded(growing_, Growing{std::string(item_id), {}}, kGrowingMax);
    text = &growing_.back().text;
  }
  if (text->size() + delta.size() <= kGrowingBytesMax) {
    *text += delta;
  }
}

void Transcript::TranscriptionCompleted(std::string_view item_id, std::string_view transcript) {
  if (Find(item_id) != nullptr) {
    v1::ConversationItem draft = Draft(item_id);
    draft.set_transcript(std::string(transcript));
    draft.set_transcript_state(v1::TRANSCRIPT_STATE_COMPLETED);
    Change(std::move(draft), {});
  }
}

void Transcript::TranscriptionFailed(std::string_view item_id) {
  if (Find(item_id) != nullptr) {
    v1::ConversationItem draft = Draft(item_id);
    draft.set_transcript_state(v1::TRANSCRIPT_STATE_FAILED);
    Change(std::move(draft), {});
  }
}

const v1::ConversationItem* Transcript::Find(std::string_view item_id) const {
  for (int i = snapshot_.items_size() - 1; i >= 0; --i) {
    if (snapshot_.items(i).id() == item_id) {
      return &snapshot_.items(i);
    }
  }
  return nullptr;
}

bool Transcript::KnowsCall(std::string_view call_id) const {
  return std::find(calls_.begin(), calls_.end(), call_id) != calls_.end();
}

void Transcript::RememberCall(std::string_view call_id) {
  if (!call_id.empty() && !KnowsCall(call_id)) {
    PushBounded(calls_, std::string(call_id), kCallsMax);
  }
}

void Transcript::Answered(std::string_view call_id) {
  for (const v1::ConversationItem& item : snapshot_.items()) {
    if (item.item_json().find("function_call") == std::string::npos) {
      continue;
    }
    const auto body = ParseObject(item.item_json());
    if (body.ok() && StringOr(*body, "type") == "function_call" &&
        StringOr(*body, "call_id") == call_id) {
      v1::ConversationItem draft = item;
      draft.set_tool_call(v1::TOOL_CALL_STATE_ANSWERED);
      Change(std::move(draft), {});
      return;
    }
  }
}

v1::ConversationItem Transcript::Draft(std::string_view item_id) const {
  if (const v1::ConversationItem* item = Find(item_id)) {
    return *item;
  }
  v1::ConversationItem item;
  item.set_id(std::string(item_id));
  return item;
}

void Transcript::Change(v1::ConversationItem item, const Placement& placement) {
  const v1::ConversationItem* current = Find(item.id());
  if (item.id().empty() || WasDeleted(item.id()) ||
      (current != nullptr && SameItem(*current, item))) {
    return;
  }
  v1::SnapshotDelta delta;
  *Place(placement, delta).mutable_item() = std::move(item);
  Publish(std::move(delta));
}

v1::PlacedItem& Transcript::Place(const Placement& placement, v1::SnapshotDelta& delta) const {
  v1::PlacedItem& placed = *delta.add_upserted_items();
  if (placement.known) {
    placed.set_previous_item_id(placement.previous);
  } else if (snapshot_.items_size() > 0) {
    placed.set_previous_item_id(snapshot_.items(snapshot_.items_size() - 1).id());
  }
  return placed;
}

bool Transcript::WasDeleted(std::string_view item_id) const {
  return std::find(deleted_.begin(), deleted_.end(), item_id) != deleted_.end();
}

void Transcript::Publish(v1::SnapshotDelta delta) {
  delta.set_version(snapshot_.version() + 1);
  delta.set_covers_seq(covers_seq_);
  const std::vector<std::string> added = NewIn(delta);
  std::vector<std::string> moved = BehindDeleted(delta);
  ApplyDelta(delta, snapshot_);
  for (const std::string& id : added) {
    moved.push_back(Behind(id));
  }
  for (v1::PlacedItem& placed : *delta.mutable_upserted_items()) {
    NamePredecessor(placed);
  }
  for (const std::string& id : moved) {
    if (const v1::ConversationItem* item = Find(id)) {
      v1::PlacedItem& placed = *delta.add_upserted_items();
      *placed.mutable_item() = *item;
      NamePredecessor(placed);
    }
  }
  CondenseTo(limits::kSnapshotMax, snapshot_);
  deltas_.push_back(std::move(delta));
}

std::vector<std::string> Transcript::NewIn(const v1::SnapshotDelta& delta) const {
  std::vector<std::string> ids;
  for (const v1::PlacedItem& placed : delta.upserted_items()) {
    if (Find(placed.item().id()) == nullptr) {
      ids.push_back(placed.item().id());
    }
  }
  return ids;
}

std::vector<std::string> Transcript::BehindDeleted(const v1::SnapshotDelta& delta) const {
  std::vector<std::string> ids;
  for (const std::string& id : delta.deleted_item_ids()) {
    ids.push_back(Behind(id));
  }
  return ids;
}

// The next item; empty: there is none.
std::string Transcript::Behind(std::string_view item_id) const {
  for (int i = snapshot_.items_size() - 2; i >= 0; --i) {
    if (snapshot_.items(i).id() == item_id) {
      return snapshot_.items(i + 1).id();
    }
  }
  return {};
}

// What stood before the first item may have been condensed.
void Transcript::NamePredecessor(v1::PlacedItem& placed) const {
  for (int i = snapshot_.items_size() - 1; i >= 0; --i) {
    if (snapshot_.items(i).id() != placed.item().id()) {
      continue;
    }
    if (i > 0) {
      placed.set_previous_item_id(snapshot_.items(i - 1).id());
    } else if (snapshot_.items_condensed() == 0) {
      placed.clear_previous_item_id();
    }
    return;
  }
}

std::string* Transcript::Grown(std::string_view item_id) {
  const auto found = std::find_if(growing_.begin(), growing_.end(),
                                  [&](const Growing& entry) { return entry.item_id == item_id; });
  return found == growing_.end() ? nullptr : &found->text;
}

std::string Transcript::TakeGrown(std::string_view item_id) {
  std::string* text = Grown(item_id);
  if (text == nullptr) {
    return {};
  }
  std::string taken = std::move(*text);
  std::erase_if(growing_, [&](const Growing& entry) { return entry.item_id == item_id; });
  return taken;
}

}  // namespace voicebridge::worker

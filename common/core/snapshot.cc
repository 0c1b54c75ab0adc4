#include "common/core/snapshot.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/json/json.h"

namespace voicebridge {
namespace {

using Items = google::protobuf::RepeatedPtrField<v1::ConversationItem>;

// Searched from the end: what changes is nearly always among the newest items.
std::optional<int> IndexOf(const Items& items, std::string_view id) {
  for (int i = items.size() - 1; i >= 0; --i) {
    if (items.Get(i).id() == id) {
      return i;
    }
  }
  return std::nullopt;
}

// An item whose predecessor is unknown goes to the end, unless items were condensed: then the
// predecessor was one of those, and they stood before all that are left.
int IndexAfter(const v1::ConversationSnapshot& snapshot, const std::string& previous_item_id) {
  if (previous_item_id.empty()) {
    return 0;
  }
  if (const auto index = IndexOf(snapshot.items(), previous_item_id)) {
    return *index + 1;
  }
  return snapshot.items_condensed() > 0 ? 0 : snapshot.items_size();
}

void Upsert(const v1::PlacedItem& placed, v1::ConversationSnapshot& snapshot) {
  Items& items = *snapshot.mutable_items();
  if (const auto index = IndexOf(items, placed.item().id())) {
    *items.Mutable(*index) = placed.item();
    return;
  }
  const int target = IndexAfter(snapshot, placed.previous_item_id());
  *items.Add() = placed.item();
  for (int i = items.size() - 1; i > target; --i) {
    items.SwapElements(i, i - 1);
  }
}

// What ties a function_call to its function_call_output; empty for every other item.
struct CallLink {
  std::string call_id;
  bool is_output = false;
};

CallLink LinkOf(const v1::ConversationItem& item) {
  if (item.item_json().find("function_call") == std::string::npos) {
    return {};
  }
  const auto parsed = ParseObject(item.item_json());
  if (!parsed.ok()) {
    return {};
  }
  const std::string_view type = StringOr(*parsed, "type");
  if (type != "function_call" && type != "function_call_output") {
    return {};
  }
  return {std::string(StringOr(*parsed, "call_id")), type == "function_call_output"};
}

// The item at `index` and its other half, if it has one, in rising order.
std::vector<int> PairOf(const Items& items, int index) {
  const CallLink link = LinkOf(items.Get(index));
  if (link.call_id.empty()) {
    return {index};
  }
  for (int i = index + 1; i < items.size(); ++i) {
    const CallLink other = LinkOf(items.Get(i));
    if (other.call_id == link.call_id && other.is_output != link.is_output) {
      return {index, i};
    }
  }
  return {index};
}

}  // namespace

bool ApplyDelta(const v1::SnapshotDelta& delta, v1::ConversationSnapshot& snapshot) {
  if (delta.version() != snapshot.version() + 1) {
    return false;
  }
  snapshot.set_version(delta.version());
  snapshot.set_covers_seq(delta.covers_seq());
  if (delta.has_settings()) {
    *snapshot.mutable_settings() = delta.settings();
  }
  if (delta.has_interview()) {
    *snapshot.mutable_interview() = delta.interview();
  }
  for (const std::string& id : delta.deleted_item_ids()) {
    if (const auto index = IndexOf(snapshot.items(), id)) {
      snapshot.mutable_items()->DeleteSubrange(*index, 1);
    }
  }
  for (const v1::PlacedItem& placed : delta.upserted_items()) {
    Upsert(placed, snapshot);
  }
  if (delta.assistant_audio_heard()) {
    snapshot.set_assistant_audio_heard(true);
  }
  if (delta.committed_through_sample() > snapshot.committed_through_sample()) {
    snapshot.set_committed_through_sample(delta.committed_through_sample());
  }
  return true;
}

void CondenseTo(std::size_t bytes_max, v1::ConversationSnapshot& snapshot) {
  std::size_t bytes = snapshot.ByteSizeLong();
  if (bytes <= bytes_max) {
    return;
  }
  Items& items = *snapshot.mutable_items();
  int index = 0;
  while (bytes > bytes_max && index < items.size() - 1) {
    const std::vector<int> pair = PairOf(items, index);
    if (pair.back() == items.size() - 1) {
      ++index;  // The newest item stays, and so does the call that it answers.
      continue;
    }
    for (auto item = pair.rbegin(); item != pair.rend(); ++item) {
      items.DeleteSubrange(*item, 1);
    }
    snapshot.set_items_condensed(snapshot.items_condensed() +
                                 static_cast<std::uint32_t>(pair.size()));
    bytes = snapshot.ByteSizeLong();
  }
}

}  // namespace voicebridge

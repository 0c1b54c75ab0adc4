// Going on with a conversation on a fresh upstream.
#include <utility>

#include "bridge_worker/conversation/conversation_core.h"
#include "bridge_worker/conversation/history.h"

namespace voicebridge::worker {

void Conversation::Core::Restore(const v1::ConversationSnapshot& snapshot) {
  transcript_.Restore(snapshot);
  flow_.Restore(snapshot.interview(), now_);
  seq_ = snapshot.covers_seq();
}

// What the client sends from now on comes after these on the same socket, so nothing waits for
// their confirmation.
void Conversation::Core::ReplayHistory() {
  for (json::object& item : HistoryOf(snapshot())) {
    Adopt(item);
    replayed_.emplace(StringOr(item, "id"));
    effects_->push_back(SendUpstream{ItemCreateEvent(NextEventId(), item)});
  }
}

bool Conversation::Core::IsReplayed(const UpstreamEvent& event) const {
  const bool of_item =
      event.type == UpstreamEventType::kItemAdded || event.type == UpstreamEventType::kItemDone;
  return of_item && replayed_.contains(event.item_id);
}

}  // namespace voicebridge::worker

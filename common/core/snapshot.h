// Keeping a ConversationSnapshot up to date: the same code in worker and gateway.
#pragma once

#include <cstddef>

#include "voicebridge/v1/conversation.pb.h"

namespace voicebridge {

// Applies the delta of the next version. False, and nothing changes, when it is of another version
// than snapshot.version() + 1: the caller has missed something or sees an old epoch's.
bool ApplyDelta(const v1::SnapshotDelta& delta, v1::ConversationSnapshot& snapshot);

// Condenses a snapshot that is larger than `bytes_max`: the oldest items go first, a function_call
// and its function_call_output together, and items_condensed counts them. The newest item always
// stays.
void CondenseTo(std::size_t bytes_max, v1::ConversationSnapshot& snapshot);

}  // namespace voicebridge

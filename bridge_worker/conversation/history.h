// A conversation's items as a fresh upstream can be given them.
#pragma once

#include <vector>

#include "common/json/json.h"
#include "voicebridge/v1/conversation.pb.h"

namespace voicebridge::worker {

// The `item` of one conversation.item.create each, oldest first, under the ids that the client
// knows. Speech becomes its transcript, cut where it was cut; what nobody heard or said is left
// out. A call never stands without its output: one that is still to come is told to the model as
// lost.
std::vector<json::object> HistoryOf(const v1::ConversationSnapshot& snapshot);

}  // namespace voicebridge::worker

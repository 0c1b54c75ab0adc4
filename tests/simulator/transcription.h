// What is sent about user audio once it is transcribed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/json/json.h"
#include "tests/simulator/conversation_items.h"

namespace voicebridge::simulator {

// An event that is sent later. `heard_item` gets its transcript then.
struct LaterEvent {
  std::string type;
  json::object fields;
  std::string heard_item = {};
};

// Deltas and the completed transcript.
std::vector<LaterEvent> TranscriptionOf(const Item& item, std::string_view model);
LaterEvent FailedTranscriptionOf(const Item& item);

}  // namespace voicebridge::simulator

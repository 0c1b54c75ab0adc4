// What the live service accepts from a client, as far as an event can be judged by itself.
#pragma once

#include <optional>
#include <string_view>

#include "common/json/json.h"
#include "tests/simulator/refusal.h"

namespace voicebridge::simulator {

// The first thing about the event that the live service would refuse: its type, an unknown or
// missing key anywhere in it, a value of a wrong type or out of range. What depends on the state of
// the session is judged by the model.
std::optional<Refusal> CheckClientEvent(const json::object& event);

// Whether it is a client event at all; the journal counts by these names only.
bool IsClientEventType(std::string_view type);

// Whether a connection may ask for this model.
bool IsRealtimeModel(std::string_view model);
// Whether the model takes `reasoning`.
bool IsReasoningModel(std::string_view model);

}  // namespace voicebridge::simulator

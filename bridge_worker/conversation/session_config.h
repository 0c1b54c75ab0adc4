// The session object: what the profile makes of it, and what a client may change in it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "bridge_worker/upstream/realtime_protocol.h"
#include "common/json/json.h"
#include "voicebridge/v1/profile.pb.h"

namespace voicebridge::worker {

// The complete `session` of the first session.update. `initial_session_json` (a client secret's
// defaults, may be empty) is laid over the profile's, except for what the profile locks, the
// formats and the model.
json::object InitialSession(const v1::Profile& profile, std::string_view initial_session_json);

// The session of the second upstream that speaks the summary: its own voice, no tools, no turns.
json::object SummarySession(const v1::Profile& profile);

// Puts the profile's tools behind those that a client sets; of equal names ours counts.
void AddProfileTools(json::object& settings, const v1::Profile& profile);

// What is wrong with a client's session.update, if anything: nothing of it may be applied then.
std::optional<ProtocolError> CheckSessionUpdate(const json::object& event,
                                                const v1::Profile& profile, std::string_view model);

// The same for the overrides of a response.create: a lock holds for single responses too.
std::optional<ProtocolError> CheckResponseCreate(const json::object& event,
                                                 const v1::Profile& profile);

// As ConversationSnapshot.settings holds it: without what each connection assigns anew.
std::string PortableSession(const json::object& session);

}  // namespace voicebridge::worker

// The report of an interview, as a good model would write it.
#pragma once

#include <optional>
#include <string_view>

#include "common/json/json.h"

namespace voicebridge::simulator {

// For a schema with proficiency_level and domain_analyses; nullopt for others. Each domain once,
// the level as the ratings say, and as evidence what the user said in the transcript, Korean first.
// `input`: what the model was asked, with a transcript of one JSON object per line,
// {"speaker":"user"|"assistant","text":...}; without one the evidence is made up.
std::optional<json::object> InterviewReport(const json::object& schema, std::string_view input);

}  // namespace voicebridge::simulator

// A value for a JSON schema, as a model with structured outputs would write it.
#pragma once

#include <optional>
#include <string>

#include "common/json/json.h"
#include "tests/simulator/refusal.h"

namespace voicebridge::simulator {

enum class SampleKind {
  kPlausible,   // Satisfies the schema.
  kOutOfRange,  // Of the right types, but beyond every limit and outside of every enumeration.
};

// Knows const, enum, anyOf, $ref, $defs, types and their limits; not patterns.
json::value SampleOf(const json::object& schema, SampleKind kind);

// What strict structured outputs refuse: objects that leave anything open. `path` names the schema.
std::optional<Refusal> CheckStrictSchema(const json::object& schema, const std::string& path);

}  // namespace voicebridge::simulator

// The part of JSON Schema that OpenAI's strict mode knows and a profile may use. Pure.
#pragma once

#include <absl/status/statusor.h>

#include "common/json/json.h"

namespace voicebridge::worker {

// Whether each keyword is known and has a value of its kind, the root is an object, and every
// object is closed: all its properties required, no others. INVALID_ARGUMENT names the place, as
// `properties.rating.minimum`, and what was expected.
//
// Known are: type (a name, or a name and "null"), enum, properties, required, additionalProperties,
// items, minItems, maxItems, minimum, maximum, minLength, maxLength (characters), description and
// title.
absl::Status CheckSchema(const json::object& schema);

// A copy of the value with the members of its objects in the order of the schema. INVALID_ARGUMENT
// names the place in the value, as `domain_analyses[2].rating`, and what was expected; never the
// value's text. The schema is one that CheckSchema accepts.
absl::StatusOr<json::value> CheckAgainst(const json::object& schema, const json::value& value);

}  // namespace voicebridge::worker

// What a client of the Responses API asks for.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "common/json/json.h"
#include "tests/simulator/refusal.h"

namespace voicebridge::simulator {

struct ResponsesRequest {
  std::string model;
  bool stream = false;
  std::string input;   // All of its text, one part per line.
  std::string prompt;  // A digest of instructions and input: equal for attempts at the same thing.
  std::string format;  // The name of the JSON schema; empty: plain text.
  std::optional<json::object> schema;  // What the answer must satisfy.
  json::object fields;                 // As it came; the answer repeats some.
};

struct ResponsesRefusal {
  Refusal refusal;
  unsigned status = 400;
};

// Strict: what the live service would refuse, and any key that it does not know.
std::variant<ResponsesRequest, ResponsesRefusal> ParseResponsesRequest(std::string_view body);

}  // namespace voicebridge::simulator

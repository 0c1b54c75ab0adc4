// Whether a connection becomes a session.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tests/simulator/refusal.h"

namespace voicebridge::simulator {

struct ConnectionRequest {
  std::string model;  // Empty: the query has none.
  std::string key;
  bool beta_header = false;
};

// One error event, then this close code; the reason names the error.
struct ConnectionRefusal {
  Refusal refusal;
  std::uint16_t close_code = 4000;
  std::string close_reason() const { return "invalid_request_error." + refusal.code; }
};

// What the live service says after the upgrade; nullopt: session.created. Every key is good but
// "bad-key".
std::optional<ConnectionRefusal> CheckConnection(const ConnectionRequest& request);

ConnectionRefusal BadKey(const std::string& key);

inline constexpr const char* kEchoModel = "echo-light";

}  // namespace voicebridge::simulator

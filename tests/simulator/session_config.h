// The effective session object of a connection.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/json/json.h"

namespace voicebridge::simulator {

struct TurnDetection {
  double threshold = 0.5;
  std::uint64_t prefix_padding_ms = 300;
  std::uint64_t silence_duration_ms = 200;
  bool create_response = true;
  bool interrupt_response = true;
};

// Complete at all times: begins with the service's defaults (server VAD is on), updates are merged
// in.
class SessionConfig {
 public:
  SessionConfig(std::string_view session_id, std::string_view model, std::int64_t expires_at);

  // Only what is present changes. The update was checked by CheckClientEvent.
  void Merge(const json::object& update);

  const json::object& value() const { return session_; }

  json::value voice() const { return *FindPath(session_, "audio.output.voice"); }
  std::optional<TurnDetection> turn_detection() const;
  // The transcription model; nullopt: off.
  std::optional<std::string> transcription_model() const;

 private:
  json::object session_;
};

}  // namespace voicebridge::simulator

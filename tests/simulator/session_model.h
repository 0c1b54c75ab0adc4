// One Realtime session as seen by the shell: events in, effects out, time as an argument.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/core/time.h"
#include "tests/simulator/faults.h"

namespace voicebridge::simulator {

struct SendEvent {
  std::string type;
  std::string text;  // The whole frame.
};

// Answered by HandleSpeech with the same token, sooner or later.
struct SynthesizeSpeech {
  std::uint64_t token = 0;
  std::string text;
  std::string voice;
};

// After everything that was sent before it.
struct CloseSession {
  std::uint16_t code = 1000;
  std::string reason;
};

using Effect = std::variant<SendEvent, SynthesizeSpeech, CloseSession>;
using Effects = std::vector<Effect>;

// Pure: no socket, no thread, no clock. Owned by one session; calls do not overlap.
class SessionModel {
 public:
  virtual ~SessionModel() = default;

  virtual Effects Start(TimePoint now) = 0;
  virtual Effects HandleText(std::string_view message, TimePoint now) = 0;
  virtual Effects HandleBinary(TimePoint now) = 0;
  // Empty PCM: the synthesis failed.
  virtual Effects HandleSpeech(std::uint64_t token, std::string pcm, TimePoint now) = 0;
  // At most one step of each response, so that a slow reader gets no burst when it is back.
  virtual Effects HandleTime(TimePoint now) = 0;
  virtual std::optional<TimePoint> NextDeadline() const = 0;

  // From now on; those that are no model's business are ignored.
  virtual void AddFault(const Fault& fault) = 0;

  // A response whose audio never ends: its opening events, then a delta per call.
  virtual Effects BeginFlood() = 0;
  virtual Effects FloodMore() = 0;
};

}  // namespace voicebridge::simulator

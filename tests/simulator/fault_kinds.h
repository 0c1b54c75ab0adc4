// The faults that exist.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/json/json.h"

namespace voicebridge::simulator {

enum class FaultId {
  kRefuse,
  kAcceptDelay,
  kBadKey,
  kConfigureDelay,
  kExpire,
  kDrop,
  kDropAfter,
  kCloseWith,
  kMute,
  kNoClose,
  kStalledPongs,
  kFlood,
  kSplitTcp,
  kFragmented,
  kUnknownEvents,
  kHugeFrame,
  kErrorWithoutEventId,
  kTranscriptionDelay,
  kTranscriptionFail,
  kLateTranscription,
  kResponseFail,
  kTwoAudioItems,
  kParallelToolCalls,
  kInvalidArguments,
  kLateDeltas,
  kCancelCrossesDone,
  kResponsesDelay,
  kResponsesHang,
  kResponsesStatus,
  kResponsesGarbage,
};

// When it is decided: at an upgrade request, for a session as a whole, at each turn of a session,
// at a call of the Responses API.
enum class FaultScope { kUpgrade, kSession, kTurn, kCall };

struct FaultKind {
  enum class Argument { kNone, kOptional, kRequired };

  FaultId id;
  std::string_view name;
  FaultScope scope;
  // Whether it can still happen to a session that has begun.
  bool late;
  Argument argument;
  std::string_view unit;  // Of a number: what --help calls it. Empty: the argument is a word.
  std::uint64_t min;
  std::uint64_t max;
  std::string_view words;  // Separated by blanks; the first is the default.
  std::string_view effect;

  // "mute[:EVENTS]", "refuse:STATUS".
  std::string Usage() const;
};

const std::vector<FaultKind>& FaultKinds();
const FaultKind* FindFaultKind(std::string_view name);
const FaultKind& KindOf(FaultId id);

// All usages in one line, and one line each with its effect.
std::string KnownFaults();
std::string ExplainFaults();
json::array FaultKindsToJson();

}  // namespace voicebridge::simulator

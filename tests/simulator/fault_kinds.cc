#include "tests/simulator/fault_kinds.h"

#include <algorithm>
#include <limits>

#include "common/core/status.h"

namespace voicebridge::simulator {
namespace {

using Argument = FaultKind::Argument;
using Scope = FaultScope;

constexpr std::uint64_t kDayMs = 86'400'000;
constexpr std::uint64_t kCountMax = 1'000'000'000;

FaultKind Plain(FaultId id, std::string_view name, Scope scope, bool late,
                std::string_view effect) {
  return {id, name, scope, late, Argument::kNone, "", 0, 0, "", effect};
}

struct Range {
  std::string_view unit;
  std::uint64_t min = 0;
  std::uint64_t max = kCountMax;
};

FaultKind Numbered(FaultId id, std::string_view name, Scope scope, bool late, Argument argument,
                   Range range, std::string_view effect) {
  return {id, name, scope, late, argument, range.unit, range.min, range.max, "", effect};
}

FaultKind Worded(FaultId id, std::string_view name, Scope scope, std::string_view words,
                 std::string_view effect) {
  return {id, name, scope, true, Argument::kOptional, "", 0, 0, words, effect};
}

std::vector<FaultKind> FaultsOfConnections() {
  using enum FaultId;
  constexpr Argument kNeeded = Argument::kRequired;
  constexpr Argument kMay = Argument::kOptional;
  constexpr Scope kSession = Scope::kSession;
  return {
      Numbered(kRefuse, "refuse", Scope::kUpgrade, false, kNeeded, {"STATUS", 300, 599},
               "the upgrade is answered with this HTTP status"),
      Numbered(kAcceptDelay, "accept_delay", Scope::kUpgrade, false, kNeeded, {"MS", 0, kDayMs},
               "the upgrade is answered so much later"),
      Plain(kBadKey, "bad_key", kSession, false,
            "101, an error invalid_api_key, close 3000; no session.created"),
      Numbered(kConfigureDelay, "configure_delay", kSession, true, kNeeded, {"MS", 0, kDayMs},
               "session.updated comes so much later"),
      Numbered(kExpire, "expire", kSession, false, kNeeded, {"SECONDS", 0, 86'400},
               "an error session_expired and close 1001 after so long"),
      Plain(kDrop, "drop", kSession, true, "a TCP reset: after the 101, or at once"),
      Numbered(kDropAfter, "drop_after", kSession, true, kNeeded, {"EVENTS"},
               "a TCP reset after so many server events"),
      Numbered(kCloseWith, "close_with", kSession, true, kNeeded, {"CODE", 1000, 4999},
               "closes with this code and a reason: after session.updated, or at once"),
      Numbered(kMute, "mute", kSession, true, kMay, {"EVENTS"},
               "sends and reads nothing more after so many server events (after session.updated)"),
      Numbered(kNoClose, "no_close", kSession, true, kMay, {"EVENTS"},
               "sends, but reads nothing more after so many client events (after the first "
               "session.update), a close frame included"),
      Plain(kStalledPongs, "stalled_pongs", kSession, true,
            "reads nothing more after session.updated, so that pings stay unanswered"),
      Numbered(kFlood, "flood", kSession, true, kMay, {"MIB"},
               "audio as fast as it is taken, from session.updated on, up to so much (no end)"),
      Plain(kSplitTcp, "split_tcp", kSession, true,
            "each frame goes out in several TCP segments, cut anywhere"),
      Plain(kFragmented, "fragmented", kSession, true,
            "each message goes out in several frames, cut anywhere"),
      Plain(kUnknownEvents, "unknown_events", kSession, true,
            "events of unknown types among the others, and unknown members in all"),
  };
}

std::vector<FaultKind> FaultsOfTurns() {
  using enum FaultId;
  constexpr Scope kTurn = Scope::kTurn;
  return {
      Numbered(kHugeFrame, "huge_frame", kTurn, true, Argument::kOptional, {"MIB", 1, 64},
               "response.done is so large (1)"),
      Plain(kErrorWithoutEventId, "error_without_event_id", kTurn, true,
            "errors do not say which event they are about"),
      Numbered(kTranscriptionDelay, "transcription_delay", kTurn, true, Argument::kRequired,
               {"MS", 0, kDayMs}, "what the user said is transcribed so much later"),
      Plain(kTranscriptionFail, "transcription_fail", kTurn, true,
            "what the user said is not transcribed: ...transcription.failed"),
      Plain(kLateTranscription, "late_transcription", kTurn, true,
            "what the user said is transcribed after the next response.done"),
      Worded(kResponseFail, "response_fail", kTurn,
             "rate_limit_exceeded server_error content_filter max_output_tokens",
             "the response ends failed, or with the latter two incomplete"),
      Plain(kTwoAudioItems, "two_audio_items", kTurn, true,
            "a spoken response consists of two items"),
      Plain(kParallelToolCalls, "parallel_tool_calls", kTurn, true,
            "the model calls all tools of the session at once; its only one twice"),
      Plain(kInvalidArguments, "invalid_arguments", kTurn, true,
            "the model calls a tool of the session with arguments that are not JSON"),
      Numbered(kLateDeltas, "late_deltas", kTurn, true, Argument::kOptional, {"DELTAS", 1, 1000},
               "so many deltas still come after a cancel (3)"),
      Plain(kCancelCrossesDone, "cancel_crosses_done", kTurn, true,
            "a cancel meets a response that is completed, and is refused"),
  };
}

std::vector<FaultKind> FaultsOfCalls() {
  using enum FaultId;
  return {
      Numbered(kResponsesDelay, "responses_delay", Scope::kCall, false, Argument::kRequired,
               {"MS", 0, 600'000}, "the Responses API answers so much later"),
      Plain(kResponsesHang, "responses_hang", Scope::kCall, false,
            "it does not answer; a stream stops after its first event"),
      Numbered(kResponsesStatus, "responses_status", Scope::kCall, false, Argument::kRequired,
               {"STATUS", 400, 599}, "it answers with this status; 429 with Retry-After"),
      Worded(kResponsesGarbage, "responses_garbage", Scope::kCall,
             "not_json truncated incomplete refusal empty out_of_range reordered extra_member",
             "what it answers is not what was asked for"),
  };
}

std::string_view NameOf(FaultScope scope) {
  switch (scope) {
    case Scope::kUpgrade:
      return "upgrade";
    case Scope::kSession:
      return "session";
    case Scope::kTurn:
      return "turn";
    case Scope::kCall:
      break;
  }
  return "call";
}

}  // namespace

std::string FaultKind::Usage() const {
  if (argument == Argument::kNone) {
    return std::string(name);
  }
  std::string value(unit.empty() ? words : unit);
  std::replace(value.begin(), value.end(), ' ', '|');
  return argument == Argument::kRequired ? fmt::format("{}:{}", name, value)
                                         : fmt::format("{}[:{}]", name, value);
}

const std::vector<FaultKind>& FaultKinds() {
  static const std::vector<FaultKind> kinds = [] {
    std::vector<FaultKind> all = FaultsOfConnections();
    for (const auto& more : {FaultsOfTurns(), FaultsOfCalls()}) {
      all.insert(all.end(), more.begin(), more.end());
    }
    return all;
  }();
  return kinds;
}

const FaultKind* FindFaultKind(std::string_view name) {
  const std::vector<FaultKind>& kinds = FaultKinds();
  const auto found = std::find_if(kinds.begin(), kinds.end(),
                                  [&](const FaultKind& kind) { return kind.name == name; });
  return found == kinds.end() ? nullptr : &*found;
}

const FaultKind& KindOf(FaultId id) {
  const std::vector<FaultKind>& kinds = FaultKinds();
  return *std::find_if(kinds.begin(), kinds.end(),
                       [&](const FaultKind& kind) { return kind.id == id; });
}

std::string KnownFaults() {
  std::string names;
  for (const FaultKind& kind : FaultKinds()) {
    names += names.empty() ? "" : ", ";
    names += kind.Usage();
  }
  return names;
}

std::string ExplainFaults() {
  std::string lines;
  for (const FaultKind& kind : FaultKinds()) {
    lines += fmt::format("  {}\n      {}\n", kind.Usage(), kind.effect);
  }
  return lines;
}

json::array FaultKindsToJson() {
  json::array array;
  for (const FaultKind& kind : FaultKinds()) {
    array.push_back(json::object{{"fault", kind.name},
                                 {"usage", kind.Usage()},
                                 {"of", NameOf(kind.scope)},
                                 {"open_session", kind.late},
                                 {"effect", kind.effect}});
  }
  return array;
}

}  // namespace voicebridge::simulator

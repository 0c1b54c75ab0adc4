#include "tests/unit/conversation/interview_world_coverage.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace voicebridge::worker {
namespace {

constexpr std::array<std::string_view, 22> kUpstreamKinds = {
    "unknown",          "passed on",       "error",
    "session.created",  "session.updated", "item.added",
    "item.done",        "item.deleted",    "item.truncated",
    "transcribed",      "not transcribed", "committed",
    "input timed out",  "speech started",  "speech stopped",
    "response.created", "response.done",   "output_item.added",
    "output_item.done", "audio.delta",     "transcript.delta",
    "arguments.done"};
static_assert(kUpstreamKinds.size() ==
              static_cast<std::size_t>(UpstreamEventType::kArgumentsDone) + 1);

constexpr std::array<std::string_view, 9> kClientTypes = {"session.update",
                                                          "response.create",
                                                          "response.cancel",
                                                          "conversation.item.create",
                                                          "conversation.item.truncate",
                                                          "input_audio_buffer.commit",
                                                          "input_audio_buffer.clear",
                                                          "voicebridge.assessment.request",
                                                          "voicebridge.assessment.retry"};

constexpr std::array<std::string_view, 18> kOtherKinds = {"client malformed",
                                                          "client other",
                                                          "client audio",
                                                          "upstream malformed",
                                                          "upstream closed",
                                                          "time",
                                                          "tool finished",
                                                          "assessment stored",
                                                          "assessment queued",
                                                          "assessment running",
                                                          "assessment completed",
                                                          "assessment failed",
                                                          "summary session.created",
                                                          "summary session.updated",
                                                          "summary error",
                                                          "summary response",
                                                          "summary other",
                                                          "summary closed"};

std::string SummaryKind(const SeenEvent& seen) {
  if (!seen.message) {
    return "summary other";
  }
  switch (seen.message->type) {
    case UpstreamEventType::kSessionCreated:
      return "summary session.created";
    case UpstreamEventType::kSessionUpdated:
      return "summary session.updated";
    case UpstreamEventType::kError:
      return "summary error";
    default:
      return seen.message->name.starts_with("response.") ||
                     seen.message->name.starts_with("conversation.item.")
                 ? "summary response"
                 : "summary other";
  }
}

std::string ClientKind(const ClientEventReceived& event) {
  const bool handled =
      std::find(kClientTypes.begin(), kClientTypes.end(), event.type) != kClientTypes.end();
  if (handled && !ParseObject(event.json).ok()) {
    return "client malformed";
  }
  return handled ? fmt::format("client {}", event.type) : "client other";
}

struct KindOf {
  const SeenEvent& seen;

  std::string operator()(const UpstreamMessage&) const {
    return seen.message
               ? fmt::format("upstream {}",
                             kUpstreamKinds.at(static_cast<std::size_t>(seen.message->type)))
               : "upstream malformed";
  }
  std::string operator()(const UpstreamClosed&) const { return "upstream closed"; }
  std::string operator()(const ClientEventReceived& event) const { return ClientKind(event); }
  std::string operator()(const ClientAudioReceived&) const { return "client audio"; }
  std::string operator()(const TimePassed&) const { return "time"; }
  std::string operator()(const ToolFinished&) const { return "tool finished"; }
  std::string operator()(const AssessmentUpdated& updated) const {
    static constexpr std::array<std::string_view, 5> kNames = {"stored", "queued", "running",
                                                               "completed", "failed"};
    return fmt::format("assessment {}", kNames.at(updated.update.index()));
  }
  std::string operator()(const SummaryMessage&) const { return SummaryKind(seen); }
  std::string operator()(const SummaryClosed&) const { return "summary closed"; }
};

bool IsOneOf(std::string_view kind, std::initializer_list<std::string_view> kinds) {
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

}  // namespace

std::string_view WhyUnreachable(WorldPhase phase, std::string_view kind) {
  if (phase == WorldPhase::kClosed) {
    return {};  // Whatever was on its way still arrives.
  }
  const bool starting = phase == WorldPhase::kConnecting || phase == WorldPhase::kConfiguring;
  const bool reported = phase >= WorldPhase::kWaiting;
  if (kind == "upstream session.created" && phase != WorldPhase::kConnecting) {
    return "the upstream says it once and first";
  }
  if (kind == "upstream session.updated" && phase == WorldPhase::kConnecting) {
    return "no update was sent yet";
  }
  const bool welcome = IsOneOf(
      kind, {"upstream unknown", "upstream passed on", "upstream error", "upstream session.created",
             "upstream session.updated", "upstream malformed", "upstream closed"});
  if (starting && kind.starts_with("upstream ") && !welcome) {
    return "an upstream has nothing to speak of before it is configured";
  }
  if (starting && kind == "tool finished") {
    return "no tool was started";
  }
  if ((starting || phase == WorldPhase::kListening) && kind.starts_with("assessment ")) {
    return "no assessment was started";
  }
  if (phase != WorldPhase::kAssessing && kind == "assessment stored") {
    return "it is stored before anything becomes of it";
  }
  if (reported && kind.starts_with("assessment ") && kind != "assessment completed") {
    return "after the report only the report may come again";
  }
  if (phase <= WorldPhase::kWaiting && kind.starts_with("summary ")) {
    return "no second upstream was opened";
  }
  return {};
}

WorldCoverage::WorldCoverage() {
  for (const std::string_view kind : kUpstreamKinds) {
    kinds_.push_back(fmt::format("upstream {}", kind));
  }
  for (const std::string_view kind : kClientTypes) {
    kinds_.push_back(fmt::format("client {}", kind));
  }
  kinds_.insert(kinds_.end(), kOtherKinds.begin(), kOtherKinds.end());
  for (const std::string& kind : kinds_) {
    counts_[kind].resize(kWorldPhases);
  }
}

void WorldCoverage::Note(WorldPhase phase, const SeenEvent& seen) {
  ++counts_.at(std::visit(KindOf{seen}, seen.event)).at(static_cast<std::size_t>(phase));
}

std::string WorldCoverage::Problems() const {
  std::string problems;
  for (const std::string& kind : kinds_) {
    for (int i = 0; i < kWorldPhases; ++i) {
      const auto phase = static_cast<WorldPhase>(i);
      const bool met = counts_.at(kind).at(static_cast<std::size_t>(i)) > 0;
      const std::string_view why = WhyUnreachable(phase, kind);
      if (met == why.empty()) {
        continue;
      }
      problems += met ? fmt::format("{} came while {}, though {}\n", kind, NameOf(phase), why)
                      : fmt::format("{} never came while {}\n", kind, NameOf(phase));
    }
  }
  return problems;
}

std::string WorldCoverage::Table() const {
  std::string table = fmt::format("{:<38}", "");
  for (int i = 0; i < kWorldPhases; ++i) {
    table += fmt::format("{:>12}", NameOf(static_cast<WorldPhase>(i)));
  }
  for (const std::string& kind : kinds_) {
    table += fmt::format("\n{:<38}", kind);
    for (int i = 0; i < kWorldPhases; ++i) {
      const unsigned count = counts_.at(kind).at(static_cast<std::size_t>(i));
      const bool possible = WhyUnreachable(static_cast<WorldPhase>(i), kind).empty();
      table += possible || count > 0 ? fmt::format("{:>12}", count) : fmt::format("{:>12}", "-");
    }
  }
  return table + "\n";
}

}  // namespace voicebridge::worker

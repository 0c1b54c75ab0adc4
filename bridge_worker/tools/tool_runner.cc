#include "bridge_worker/tools/tool_runner.h"

#include <functional>
#include <utility>

#include "common/core/status.h"
#include "common/observability/trace_logger.h"

namespace voicebridge::worker {
namespace {

constexpr Duration kStoreMax = seconds(5);
constexpr Duration kCallMax = seconds(90);
constexpr std::string_view kNotStarted =
    R"({"error":"The tool could not be started. Nothing has happened."})";
constexpr std::string_view kGoingAway =
    R"({"error":"The tool is not available: the service is going away. Nothing has happened."})";
constexpr std::string_view kUnknown =
    R"({"error":"The outcome of this call is unknown: it may or may not have happened."})";

std::string_view WordOf(ToolResult::Outcome outcome) {
  switch (outcome) {
    case ToolResult::Outcome::kAnswered:
      return "answered";
    case ToolResult::Outcome::kFailed:
      return "failed";
    case ToolResult::Outcome::kUnknown:
      return "unknown";
  }
  return "unknown";
}

Awaitable<absl::StatusOr<ToolCallRecord>> StoreStart(ToolEnvironment& environment,
                                                     SessionOwner owner, ToolCallStart call) {
  const std::size_t bytes = call.arguments_json.size();
  std::function<absl::StatusOr<ToolCallRecord>(Store&)> job =
      [owner = std::move(owner), call = std::move(call)](Store& store) {
        return store.StartToolCall(owner, call);
      };
  co_return co_await environment.store.Do<absl::StatusOr<ToolCallRecord>>(
      std::move(job), bytes, Deadline::After(environment.clock.Now(), kStoreMax));
}

Awaitable<absl::Status> StoreOutput(ToolEnvironment& environment, SessionOwner owner,
                                    std::string call_id, std::string output) {
  const std::size_t bytes = output.size();
  std::function<absl::Status(Store&)> job = [owner = std::move(owner), call_id = std::move(call_id),
                                             output = std::move(output)](Store& store) {
    return store.FinishToolCall(owner, call_id, output);
  };
  co_return co_await environment.store.Do<absl::Status>(
      std::move(job), bytes, Deadline::After(environment.clock.Now(), kStoreMax));
}

void NoteNotStarted(ToolEnvironment& environment, const SessionOwner& owner,
                    const ToolCallStart& call, const absl::Status& why) {
  environment.metrics.CountNotStarted();
  LoggerOfTrace(environment.logger, owner.traceparent)
      .Warning("tool.not_started", {{"session", owner.session_id},
                                    {"tool", call.name},
                                    {"call", call.call_id},
                                    {"reason", Message(why)}});
}

void NoteEnded(ToolEnvironment& environment, const SessionOwner& owner, const ToolCallStart& call,
               const ToolResult& result, bool stored, Duration took) {
  environment.metrics.ObserveCall(result.outcome, took);
  LoggerOfTrace(environment.logger, owner.traceparent)
      .Info("tool.ended", {{"session", owner.session_id},
                           {"tool", call.name},
                           {"call", call.call_id},
                           {"outcome", WordOf(result.outcome)},
                           {"detail", result.detail},
                           {"stored", stored},
                           {"ms", ToSeconds(took) * 1000}});
}

Awaitable<std::string> CallWebhook(ToolEnvironment& environment, SessionOwner owner,
                                   v1::WebhookTool webhook, ToolCallStart call) {
  const TimePoint begun = environment.clock.Now();
  ToolCall request{owner.session_id, call.call_id, call.name, call.arguments_json,
                   owner.traceparent};
  ToolResult result =
      co_await environment.webhooks.Call(webhook, request, Deadline::After(begun, kCallMax));
  const absl::Status stored = co_await StoreOutput(environment, owner, call.call_id, result.output);
  if (!stored.ok() && !absl::IsAborted(stored)) {
    environment.lost.Count(RecordKind::kToolOutput);
  }
  NoteEnded(environment, owner, call, result, stored.ok(), environment.clock.Now() - begun);
  co_return std::move(result.output);
}

}  // namespace

Awaitable<std::string> RunTool(ToolEnvironment& environment, SessionOwner owner, v1::Tool tool,
                               ToolCallStart call) {
  if (environment.draining.load()) {
    NoteNotStarted(environment, owner, call, absl::UnavailableError("draining"));
    co_return std::string(kGoingAway);
  }
  const absl::StatusOr<ToolCallRecord> known = co_await StoreStart(environment, owner, call);
  if (!known.ok()) {
    NoteNotStarted(environment, owner, call, known.status());
    co_return std::string(kNotStarted);
  }
  if (known->output) {
    co_return *known->output;
  }
  if (!known->is_new && !tool.webhook().idempotent()) {
    co_return std::string(kUnknown);
  }
  co_return co_await CallWebhook(environment, owner, tool.webhook(), call);
}

}  // namespace voicebridge::worker

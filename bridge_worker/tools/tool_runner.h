// One call of a webhook tool, once: its start is stored before it, its output after it.
#pragma once

#include <atomic>
#include <string>

#include "bridge_worker/store/lost_records.h"
#include "bridge_worker/store/store_thread.h"
#include "bridge_worker/tools/tool_metrics.h"
#include "bridge_worker/tools/webhook.h"
#include "common/async/awaitable.h"
#include "common/async/clock.h"
#include "common/observability/log.h"

namespace voicebridge::worker {

// What all tool calls share; owned by the worker, outlives them.
struct ToolEnvironment {
  StoreThread& store;
  WebhookCaller& webhooks;
  Clock& clock;
  Logger& logger;
  const std::atomic<bool>& draining;  // Then no call is started.
  LostRecords& lost;
  ToolMetrics& metrics;
};

// The output for the model; always one, within a bound. A call that a process before this one has
// started is made again only if the tool is idempotent; else its outcome is unknown. Without a
// store that confirms the start nothing is called.
Awaitable<std::string> RunTool(ToolEnvironment& environment, SessionOwner owner, v1::Tool tool,
                               ToolCallStart call);

}  // namespace voicebridge::worker

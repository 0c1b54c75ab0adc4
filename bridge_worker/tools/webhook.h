// Tools of the profile that live behind a URL of the operator's.
#pragma once

#include <string>

#include "common/async/awaitable.h"
#include "common/core/deadline.h"
#include "voicebridge/v1/profile.pb.h"

namespace voicebridge::worker {

struct ToolCall {
  std::string session_id;
  std::string call_id;
  std::string name;
  std::string arguments_json;
  std::string traceparent = {};  // Of the session; empty: not sent.
};

struct ToolResult {
  enum class Outcome { kAnswered, kFailed, kUnknown };  // kUnknown: it may have happened.

  Outcome outcome = Outcome::kFailed;
  std::string output;  // For the model: the answer, or a sentence that says what went wrong.
  std::string detail;  // For the log: a status or an error; neither arguments nor output.
};

// Calls may overlap; each belongs to the coroutine that awaits it and ends with it.
class WebhookCaller {
 public:
  virtual ~WebhookCaller() = default;

  // All attempts, by the tool's policy. The same Idempotency-Key for the same session and call_id.
  virtual Awaitable<ToolResult> Call(v1::WebhookTool tool, ToolCall call, Deadline deadline) = 0;
};

}  // namespace voicebridge::worker

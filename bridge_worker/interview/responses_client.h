// OpenAI's Responses API: one streamed request, without the HTTP behind it.
#pragma once

#include <absl/status/statusor.h>

#include <optional>
#include <string>

#include "common/async/awaitable.h"
#include "common/core/deadline.h"
#include "common/core/time.h"

namespace voicebridge::worker {

// How one attempt ended.
struct ResponsesAnswer {
  enum class Outcome {
    kText,         // `text` is the whole output.
    kRefused,      // The model declined.
    kIncomplete,   // Cut off: max_output_tokens or content_filter.
    kRejected,     // Trying the same again does not help: key, quota, unknown model, bad request.
    kUnavailable,  // Trying again may help: rate limit, server error, broken connection.
  };

  Outcome outcome = Outcome::kUnavailable;
  std::string text;
  std::string detail;  // A word or code for the log; no model text, no secret.
  std::optional<Duration> retry_after;
};

// Calls may overlap; each belongs to the coroutine that awaits it and ends with it.
class ResponsesClient {
 public:
  virtual ~ResponsesClient() = default;

  // `body`: see AssessmentRequestBody. `traceparent`: of this call. Past the deadline:
  // kUnavailable, "timeout". Cancelling the coroutine closes the connection at once.
  virtual Awaitable<ResponsesAnswer> Create(std::string body, std::string traceparent,
                                            Deadline deadline) = 0;
};

}  // namespace voicebridge::worker

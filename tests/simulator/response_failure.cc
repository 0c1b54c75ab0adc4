#include "tests/simulator/response_failure.h"

#include "common/core/status.h"

namespace voicebridge::simulator {

ResponseFailure FailureNamed(std::string_view name, std::string_view model) {
  if (name == "content_filter" || name == "max_output_tokens") {
    return {"incomplete", json::object{{"type", "incomplete"}, {"reason", name}}, true};
  }
  json::object error = {{"type", "server_error"},
                        {"code", nullptr},
                        {"message", "The server had an error while processing your request."}};
  if (name == "rate_limit_exceeded") {
    error = {{"type", "tokens"},
             {"code", name},
             {"message", fmt::format("Rate limit reached for {} on tokens per min (TPM): Limit "
                                     "1000, Used 1000, Requested 1. Please try again in 1.2s.",
                                     model)}};
  }
  return {"failed", json::object{{"type", "failed"}, {"error", std::move(error)}}, false};
}

}  // namespace voicebridge::simulator

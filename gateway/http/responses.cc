#include "gateway/http/responses.h"

#include <fmt/format.h>

namespace voicebridge::gateway {
namespace {

// A conversation that has to end first takes its time.
constexpr Duration kRetryAfterSession = seconds(10);
constexpr Duration kRetryAfterTrouble = seconds(1);

Duration RetryAfter(const Refusal& refusal, unsigned status) {
  if (refusal.retry_after > Duration::zero()) {
    return refusal.retry_after;
  }
  return status == 429 ? kRetryAfterSession : status == 503 ? kRetryAfterTrouble : Duration::zero();
}

}  // namespace

HttpResponse TryLater(std::string_view code, std::string_view message) {
  HttpResponse response = JsonErrorResponse(503, "server_error", code, message);
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

HttpResponse ResponseTo(const Refusal& refusal) {
  const RefusalTraits& traits = RefusalTraitsOf(refusal.reason);
  HttpResponse response = JsonErrorResponse(
      traits.status, traits.type, refusal.code.empty() ? traits.code : refusal.code,
      refusal.message.empty() ? traits.message : std::string_view(refusal.message));
  if (traits.status == 401) {
    response.headers.emplace_back("WWW-Authenticate", "Bearer");
  }
  const Duration retry_after = RetryAfter(refusal, traits.status);
  if (retry_after > Duration::zero()) {
    response.headers.emplace_back(
        "Retry-After", fmt::format("{}", std::chrono::ceil<seconds>(retry_after).count()));
  }
  return response;
}

HttpResponse MethodNotAllowed(std::string_view allowed, std::string_view message) {
  HttpResponse response =
      JsonErrorResponse(405, "invalid_request_error", "method_not_allowed", message);
  response.headers.emplace_back("Allow", allowed);
  return response;
}

}  // namespace voicebridge::gateway

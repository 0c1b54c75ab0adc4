#include "gateway/http/responses.h"

namespace voicebridge::gateway {

HttpResponse TryLater(std::string_view code, std::string_view message) {
  HttpResponse response = JsonErrorResponse(503, "server_error", code, message);
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

HttpResponse MethodNotAllowed(std::string_view allowed, std::string_view message) {
  HttpResponse response =
      JsonErrorResponse(405, "invalid_request_error", "method_not_allowed", message);
  response.headers.emplace_back("Allow", allowed);
  return response;
}

}  // namespace voicebridge::gateway

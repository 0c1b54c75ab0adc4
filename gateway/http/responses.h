// Answers that several endpoints give.
#pragma once

#include <string_view>

#include "common/http/http_message.h"
#include "gateway/client/refusal.h"

namespace voicebridge::gateway {

// 503, to be tried again in a second.
HttpResponse TryLater(std::string_view code, std::string_view message);

// The answer to a refused request, with Retry-After where trying again may help.
HttpResponse ResponseTo(const Refusal& refusal);

// 405; `allowed` is the one method.
HttpResponse MethodNotAllowed(std::string_view allowed, std::string_view message);

}  // namespace voicebridge::gateway

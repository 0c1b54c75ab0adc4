// ResponsesClient over HTTP.
#pragma once

#include <memory>
#include <string>

#include "bridge_worker/interview/responses_client.h"
#include "common/core/changing_secret.h"
#include "common/websocket/url.h"

namespace voicebridge::worker {

// Each call is one connection and one attempt. The URL is https://, or http:// on loopback:
// INVALID_ARGUMENT otherwise. Each call has the key of its moment. An empty `ca_file` stands for
// the system's authorities.
absl::StatusOr<std::unique_ptr<ResponsesClient>> MakeHttpResponsesClient(
    Url url, const ChangingSecret& api_key, std::string ca_file);

}  // namespace voicebridge::worker

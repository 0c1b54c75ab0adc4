// What an HTTP reply of the Responses API that is not 200 means for a caller. Pure.
#pragma once

#include <string_view>

#include "bridge_worker/interview/responses_client.h"
#include "common/http/http_client.h"

namespace voicebridge::worker {

// x-should-retry wins; else 408, 409, 429 (but insufficient_quota) and 5xx may pass. The wait is
// taken from retry-after-ms, else retry-after (seconds, or a date as seen from the reply's own), if
// it is more than nothing and at most a minute.
ResponsesAnswer ReadResponsesError(const HttpReplyHead& head, std::string_view body);

}  // namespace voicebridge::worker

// What the Responses API answers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/json/json.h"
#include "tests/simulator/id_source.h"
#include "tests/simulator/responses_request.h"

namespace voicebridge::simulator {

struct ResponsesReply {
  std::string text;                 // What the model wrote; of a refusal, its words.
  json::object response;            // As the last event and an unstreamed answer carry it.
  std::vector<std::string> events;  // Server-sent, each with its empty line.
};

// A report that satisfies the schema of the request, or words where it has none. `garbage` is an
// argument of the fault responses_garbage; empty: none.
ResponsesReply ReplyTo(const ResponsesRequest& request, std::string_view garbage,
                       std::int64_t unix_now, IdSource& ids);

// The bodies, `truncated` in the middle or whole.
std::string StreamOf(const ResponsesReply& reply, bool truncated);
std::string BodyOf(const ResponsesReply& reply, bool truncated);

}  // namespace voicebridge::simulator

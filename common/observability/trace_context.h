// W3C Trace Context (https://www.w3.org/TR/trace-context/): which trace a session belongs to, and
// which step of it speaks. Without I/O.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace voicebridge {

// Two ids in lower-case hexadecimal, neither all zeros.
struct TraceContext {
  std::string trace_id;  // 32 digits; the same for everybody who works on one request.
  std::string span_id;   // 16 digits; `parent-id` of the recommendation.
  bool sampled = false;  // Whoever sent it may have recorded it.
};

// As strictly as the recommendation: exact lengths, lower case, no zero id, no version ff. Of a
// higher version what is known of this one is read. nullopt: it is not to be used.
std::optional<TraceContext> ParseTraceparent(std::string_view text);

// Of version 00.
std::string FormatTraceparent(const TraceContext& context);

// The same trace with a span of our own. A new trace when `traceparent` cannot be read or is empty;
// it is marked as sampled, for its ids are in our log.
TraceContext ContinueTrace(std::string_view traceparent);

}  // namespace voicebridge

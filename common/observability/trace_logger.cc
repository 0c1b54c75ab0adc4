#include "common/observability/trace_logger.h"

#include <optional>
#include <span>
#include <vector>

#include "common/observability/trace_context.h"

namespace voicebridge {

void TraceLogger::Log(LogLevel level, std::string_view event, Fields fields) {
  std::vector<LogField> all(fields.begin(), fields.end());
  if (!trace_id_.empty()) {
    all.emplace_back("trace_id", trace_id_);
  }
  logger_->Log(level, event, Fields(std::span<const LogField>(all)));
}

TraceLogger LoggerOfTrace(Logger& logger, std::string_view traceparent) {
  const std::optional<TraceContext> trace = ParseTraceparent(traceparent);
  return {logger, trace ? trace->trace_id : std::string()};
}

}  // namespace voicebridge

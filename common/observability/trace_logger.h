// The log of one session: its trace is in every line.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "common/observability/log.h"

namespace voicebridge {

// A value: whoever says something of a session, or of its work, keeps its own. The logger behind it
// outlives it.
class TraceLogger final : public Logger {
 public:
  // Without an id lines stay as they are.
  TraceLogger(Logger& logger, std::string trace_id)
      : logger_(&logger), trace_id_(std::move(trace_id)) {}

  // The fields, and `trace_id` behind them.
  void Log(LogLevel level, std::string_view event, Fields fields) override;
  void Flush(Deadline deadline) override { logger_->Flush(deadline); }

  const std::string& trace_id() const { return trace_id_; }

 private:
  Logger* logger_;
  std::string trace_id_;
};

// Of the trace that `traceparent` names; of none when it cannot be read.
TraceLogger LoggerOfTrace(Logger& logger, std::string_view traceparent);

}  // namespace voicebridge

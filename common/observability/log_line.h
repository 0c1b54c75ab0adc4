// How one log event is written down. Pure; the sink is log.cc.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "common/observability/log.h"

namespace voicebridge {

struct LogLine {
  std::chrono::system_clock::time_point time;
  LogLevel level;
  std::string_view process;
  std::string_view event;
  Logger::Fields fields;
};

// One JSON object without the line break: ts, level, process, event, then the fields. Always valid
// JSON, whatever the fields hold. Long values are cut, so that a queue of lines is bounded in
// bytes.
std::string FormatJson(const LogLine& line);

// For people: `TS LEVEL process event key=value`, values quoted where they would be ambiguous.
std::string FormatText(const LogLine& line);

}  // namespace voicebridge

// A log that tests read.
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "common/observability/log.h"
#include "common/observability/log_line.h"

namespace voicebridge {

// Calls from all threads may overlap.
class RecordingLogger final : public Logger {
 public:
  void Log(LogLevel level, std::string_view event, Fields fields) override {
    const std::string text = FormatText({{}, level, "test", event, fields});
    const std::lock_guard lock(mutex_);
    events_.emplace_back(event);
    lines_.push_back(text.substr(text.find(' ') + 1));
  }
  void Flush(Deadline) override {}

  std::vector<std::string> events() const {
    const std::lock_guard lock(mutex_);
    return events_;
  }
  // Without the time.
  std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> events_;
  std::vector<std::string> lines_;
};

}  // namespace voicebridge

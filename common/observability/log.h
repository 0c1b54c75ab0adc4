// Structured logs: an event name and key=value fields, one line each.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "common/core/deadline.h"

namespace voicebridge {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

struct LogField {
  using Value = std::variant<std::int64_t, double, bool, std::string_view>;

  LogField(std::string_view name, std::string_view text) : key(name), value(text) {}
  LogField(std::string_view name, const std::string& text)
      : key(name), value(std::string_view(text)) {}
  LogField(std::string_view name, const char* text) : key(name), value(std::string_view(text)) {}
  LogField(std::string_view name, bool flag) : key(name), value(flag) {}
  LogField(std::string_view name, double number) : key(name), value(number) {}
  template <std::integral Integer>
  requires(!std::same_as<Integer, bool>) LogField(std::string_view name, Integer number)
      : key(name), value(static_cast<std::int64_t>(number)) {}

  std::string_view key;
  Value value;
};

// The fields of one line, in order; good for the call that it is handed to.
class LogFields {
 public:
  LogFields(std::initializer_list<LogField> fields) : fields_(fields.begin(), fields.size()) {}
  explicit LogFields(std::span<const LogField> fields) : fields_(fields) {}

  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }

 private:
  std::span<const LogField> fields_;
};

// Meaning of levels: error: someone must act; warning: we degraded; info: the life of processes and
// sessions; debug: the rest. No audio, transcript or secret at info or above. Passed by reference
// from main; calls from all threads may overlap and never block: a full sink drops the oldest
// lines.
class Logger {
 public:
  virtual ~Logger() = default;

  using Fields = LogFields;
  virtual void Log(LogLevel level, std::string_view event, Fields fields) = 0;

  void Debug(std::string_view event, Fields fields) { Log(LogLevel::kDebug, event, fields); }
  void Info(std::string_view event, Fields fields) { Log(LogLevel::kInfo, event, fields); }
  void Warning(std::string_view event, Fields fields) { Log(LogLevel::kWarning, event, fields); }
  void Error(std::string_view event, Fields fields) { Log(LogLevel::kError, event, fields); }

  // Writes out what is queued, until the deadline, or until the reader has taken nothing for a
  // moment.
  virtual void Flush(Deadline deadline) = 0;
};

// To standard error: text on a terminal, else one JSON object per line. `process` is in every line.
std::unique_ptr<Logger> MakeLogger(std::string_view process, LogLevel lowest);

// For tests and tools.
std::unique_ptr<Logger> MakeNullLogger();

}  // namespace voicebridge

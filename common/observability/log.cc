#include "common/observability/log.h"

#include <spdlog/async_logger.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <utility>
#include <vector>

#include "common/async/clock.h"
#include "common/observability/log_line.h"

namespace voicebridge {
namespace {

// A line takes a few hundred bytes as a rule: about 2 MiB when full.
constexpr std::size_t kQueuedLinesMax = 4096;
// A reader that takes nothing for so long is not waited for.
constexpr Duration kStandstillMax = milliseconds(500);
// What a flush has when its deadline is there: the share of a drain's last phase that logs may
// take.
constexpr Duration kFlushMin = milliseconds(100);
// At destruction nothing else is waiting, and a busy machine may need it.
constexpr Duration kLastFlushMax = seconds(1);

TimePoint Now() { return SystemClock().Now(); }

spdlog::level::level_enum SpdlogLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

// Writes finished lines to standard error, one write each so that the lines of several processes on
// one pipe do not mix. Used by the logger's one thread, which alone blocks when the pipe is full.
class StandardErrorSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  // Asks for a mark that is reached once everything queued before it is written.
  std::size_t NextMark() {
    const std::lock_guard lock(marks_mutex_);
    return ++marks_asked_;
  }

  // False: not by the deadline, or not a line was written for as long as `standstill`.
  bool WaitForMark(std::size_t mark, Duration standstill, Deadline deadline) {
    std::unique_lock lock(marks_mutex_);
    const auto is_reached = [&] { return marks_reached_ >= mark; };
    std::size_t lines = 0;
    do {
      lines = lines_written_.load();
      const Deadline next = Deadline::After(Now(), standstill).EarlierOf(deadline);
      if (reached_.wait_until(lock, next.when(), is_reached)) {
        return true;
      }
    } while (lines_written_.load() > lines && !deadline.HasPassed(Now()));
    return false;
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    line_.assign(message.payload.data(), message.payload.size());
    line_ += '\n';
    for (std::string_view left = line_; !left.empty();) {
      const ssize_t written = write(STDERR_FILENO, left.data(), left.size());
      if (written > 0) {
        left.remove_prefix(static_cast<std::size_t>(written));
      } else if (errno != EINTR) {
        return;  // Nobody reads any more; there is no one to tell.
      }
    }
    ++lines_written_;
  }

  void flush_() override {
    const std::lock_guard lock(marks_mutex_);
    ++marks_reached_;
    reached_.notify_all();
  }

 private:
  std::string line_;
  std::atomic<std::size_t> lines_written_ = 0;
  std::mutex marks_mutex_;
  std::condition_variable reached_;
  std::size_t marks_asked_ = 0;
  std::size_t marks_reached_ = 0;
};

// A thread that is stuck in a write would be joined for ever, so it is left to the process's end.
void LeaveToProcessEnd(std::shared_ptr<spdlog::details::thread_pool> pool) {
  static std::mutex mutex;
  static auto& left = *new std::vector<std::shared_ptr<spdlog::details::thread_pool>>;
  const std::lock_guard lock(mutex);
  left.push_back(std::move(pool));
}

class StandardErrorLogger final : public Logger {
 public:
  StandardErrorLogger(std::string_view process, LogLevel lowest)
      : process_(process),
        text_(isatty(STDERR_FILENO) == 1),
        sink_(std::make_shared<StandardErrorSink>()),
        pool_(std::make_shared<spdlog::details::thread_pool>(kQueuedLinesMax, 1)),
        logger_(std::make_shared<spdlog::async_logger>(
            process_, sink_, pool_, spdlog::async_overflow_policy::overrun_oldest)) {
    logger_->set_level(SpdlogLevel(lowest));
  }

  ~StandardErrorLogger() override {
    if (!FlushUntil(Deadline::After(Now(), kLastFlushMax), kLastFlushMax)) {
      LeaveToProcessEnd(std::move(pool_));
    }
  }

  void Log(LogLevel level, std::string_view event, Fields fields) override {
    const auto spdlog_level = SpdlogLevel(level);
    if (!logger_->should_log(spdlog_level)) {
      return;
    }
    Write(level, event, fields);
  }

  void Flush(Deadline deadline) override {
    FlushUntil(std::max(deadline, Deadline::After(Now(), kFlushMin)), kStandstillMax);
  }

 private:
  void Write(LogLevel level, std::string_view event, Fields fields) {
    const LogLine line{std::chrono::system_clock::now(), level, process_, event, fields};
    const std::string written = text_ ? FormatText(line) : FormatJson(line);
    logger_->log(SpdlogLevel(level), spdlog::string_view_t(written.data(), written.size()));
  }

  // False: the sink did not take everything in time.
  bool FlushUntil(Deadline deadline, Duration standstill) {
    if (const std::size_t dropped = pool_->overrun_counter(); dropped > 0) {
      Write(LogLevel::kWarning, "log.dropped", {{"lines_total", dropped}});
    }
    const std::size_t mark = sink_->NextMark();
    logger_->flush();
    return sink_->WaitForMark(mark, standstill, deadline);
  }

  const std::string process_;
  const bool text_;
  const std::shared_ptr<StandardErrorSink> sink_;
  std::shared_ptr<spdlog::details::thread_pool> pool_;
  const std::shared_ptr<spdlog::async_logger> logger_;
};

class NullLogger final : public Logger {
 public:
  void Log(LogLevel, std::string_view, Fields) override {}
  void Flush(Deadline) override {}
};

}  // namespace

std::unique_ptr<Logger> MakeLogger(std::string_view process, LogLevel lowest) {
  return std::make_unique<StandardErrorLogger>(process, lowest);
}

std::unique_ptr<Logger> MakeNullLogger() { return std::make_unique<NullLogger>(); }

}  // namespace voicebridge

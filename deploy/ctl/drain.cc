#include "deploy/ctl/drain.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "common/core/status.h"
#include "common/process/exit_code.h"
#include "common/process/signals.h"
#include "deploy/ctl/drain_text.h"

namespace voicebridge::ctl {
namespace {

// How long a signal may wait, and a clock stand still.
constexpr Duration kLook = milliseconds(50);

bool IsSet(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

// Where progress is shown: redrawn in one line of a terminal, else a line for each change.
class Screen {
 public:
  explicit Screen(bool shows_progress) : shows_progress_(shows_progress) {
    const char* kind = std::getenv("TERM");
    redraws_ = isatty(STDOUT_FILENO) == 1 && kind != nullptr && std::string_view(kind) != "dumb";
  }

  ~Screen() { Clear(); }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  void Show(const v1::DrainProgress& progress, Duration time_left) {
    if (!shows_progress_) {
      return;
    }
    if (redraws_) {
      Write(fmt::format("\r{}\x1b[K", ProgressBar(progress, time_left, Style())));
      drawn_ = true;
    } else if (std::string state = WithoutTime(progress); state != shown_) {
      Write(ProgressText(progress, time_left) + "\n");
      shown_ = std::move(state);
    }
  }

  // The line of the terminal is free again.
  void Clear() {
    if (drawn_) {
      Write("\r\x1b[K");
      drawn_ = false;
    }
  }

  static void Write(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  }

 private:
  // That time passes is no change.
  static std::string WithoutTime(const v1::DrainProgress& progress) {
    return ProgressText(progress, Duration::zero());
  }

  static BarStyle Style() {
    BarStyle style;
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1) {
      style.columns = size.ws_col - 1U;  // A full line would wrap, and stay.
    }
    style.colours = !IsSet("NO_COLOR");
    return style;
  }

  const bool shows_progress_;
  bool redraws_ = false;
  bool drawn_ = false;
  std::string shown_;
};

int Code(ExitCode code) { return static_cast<int>(code); }

// What was known last, for an end without a summary.
std::string LastSeen(const DrainWatch& watch) {
  return watch.progress() ? "; last seen: " + ProgressText(*watch.progress(), watch.TimeLeft())
                          : "";
}

int Fail(const DrainOptions& options, const DrainWatch& watch) {
  const bool undone = watch.status().code() == absl::StatusCode::kAborted;
  std::fprintf(stderr, "voicebridgectl: %s: %s: %s%s\n", options.address.c_str(),
               absl::StatusCodeToString(watch.status().code()).c_str(),
               Message(watch.status()).c_str(), undone ? "" : LastSeen(watch).c_str());
  return Code(ExitCode::kBadFlags);
}

int Interrupted(const DrainOptions& options, const DrainWatch& watch, int signal) {
  if (watch.progress()) {
    std::fprintf(stderr, "voicebridgectl: interrupted; the drain of %s goes on%s\n",
                 options.address.c_str(), LastSeen(watch).c_str());
  } else {
    std::fprintf(stderr, "voicebridgectl: interrupted before %s answered; a drain may have begun\n",
                 options.address.c_str());
  }
  return 128 + signal;
}

int Conclude(const DrainOptions& options, const v1::DrainSummary& summary) {
  Screen::Write(
      (options.json ? SummaryJson : SummaryText)(options.address, options.request, summary));
  return Code(IsClean(summary) ? ExitCode::kClean : ExitCode::kDrainForced);
}

}  // namespace

int RunDrain(const DrainOptions& options) {
  const StopSignals signals;  // Before gRPC's threads.
  DrainWatch watch(options);
  Screen screen(!options.json);
  std::optional<int> signal;
  DrainWatch::News news = DrainWatch::News::kNothing;
  while (news != DrainWatch::News::kEnd && !signal) {
    if (watch.progress()) {
      screen.Show(*watch.progress(), watch.TimeLeft());
    }
    news = watch.WaitFor(kLook);
    signal = signals.WaitFor(Duration::zero());
  }
  screen.Clear();
  if (news != DrainWatch::News::kEnd) {
    return Interrupted(options, watch, *signal);
  }
  return watch.status().ok() ? Conclude(options, watch.progress()->summary())
                             : Fail(options, watch);
}

}  // namespace voicebridge::ctl

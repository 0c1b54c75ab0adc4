#include "common/drain/watchdog.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string_view>

#include "common/process/exit_code.h"

namespace voicebridge {
namespace {

constexpr std::int64_t kUnarmed = std::numeric_limits<std::int64_t>::max();

std::int64_t NowNanoseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);  // The clock behind std::chrono::steady_clock.
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

// Appends to a static buffer; truncates rather than overflows.
class Line {
 public:
  void Append(std::string_view text) {
    const std::size_t n = std::min(text.size(), sizeof(buffer_) - size_);
    std::memcpy(buffer_ + size_, text.data(), n);
    size_ += n;
  }
  void Append(std::int64_t number) {
    char digits[24];
    const auto result = std::to_chars(digits, digits + sizeof(digits), number);
    Append(std::string_view(digits, static_cast<std::size_t>(result.ptr - digits)));
  }
  void WriteTo(int fd) const {
    pollfd ready{fd, POLLOUT, 0};
    if (::poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT) != 0) {
      [[maybe_unused]] const ssize_t written = ::write(fd, buffer_, size_);
    }
  }

 private:
  char buffer_[256];
  std::size_t size_ = 0;
};

}  // namespace

Watchdog::Watchdog(Gauges gauges)
    : gauges_(gauges), wake_fd_(::eventfd(0, EFD_CLOEXEC)), deadline_ns_(kUnarmed) {
  if (wake_fd_ < 0) {
    std::abort();
  }
  // Not joined by anyone on purpose: it must outlast every other part of the process.
  std::thread(&Watchdog::Run, this).detach();
}

void Watchdog::Arm(Deadline deadline) {
  const std::int64_t ns =
      std::chrono::duration_cast<std::chrono::nanoseconds>(deadline.when().time_since_epoch())
          .count();
  std::int64_t current = deadline_ns_.load();
  while (ns < current && !deadline_ns_.compare_exchange_weak(current, ns)) {
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_fd_, &one, sizeof(one));
}

void Watchdog::Run() {
  while (true) {
    const std::int64_t deadline = deadline_ns_.load();
    int wait_ms = -1;
    if (deadline != kUnarmed) {
      const std::int64_t left_ns = deadline - NowNanoseconds();
      if (left_ns <= 0) {
        EndProcess();
      }
      wait_ms = static_cast<int>(std::min<std::int64_t>(left_ns / 1'000'000 + 1, 60'000));
    }
    pollfd wake{wake_fd_, POLLIN, 0};
    if (::poll(&wake, 1, wait_ms) == 1) {
      std::uint64_t count = 0;
      [[maybe_unused]] const ssize_t n = ::read(wake_fd_, &count, sizeof(count));
    }
  }
}

void Watchdog::EndProcess() const {
  static Line line;
  line.Append("watchdog.exit tasks=");
  line.Append(gauges_.tasks->total());
  line.Append(" sessions=");
  line.Append(gauges_.sessions->count());
  line.Append("\n");
  line.WriteTo(STDERR_FILENO);
  ::_exit(static_cast<int>(ExitCode::kDrainForced));
}

}  // namespace voicebridge

#include "common/drain/drain_inbox.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <utility>

namespace voicebridge {
namespace {

// Also the bound of a wait that has no deadline: the loop just goes round.
constexpr Duration kWaitMax = seconds(60);

}  // namespace

DrainInbox::DrainInbox() : wake_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (wake_fd_ < 0) {
    std::abort();
  }
}

DrainInbox::~DrainInbox() { ::close(wake_fd_); }

void DrainInbox::Push(DrainNews news) {
  {
    const std::lock_guard lock(mutex_);
    news_.push_back(std::move(news));
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_fd_, &one, sizeof(one));
}

std::deque<DrainNews> DrainInbox::Take() {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t n = ::read(wake_fd_, &count, sizeof(count));
  const std::lock_guard lock(mutex_);
  return std::exchange(news_, {});
}

void DrainInbox::Wait(int other_fd, Deadline deadline) {
  const Duration left =
      std::min<Duration>(deadline.Remaining(std::chrono::steady_clock::now()), kWaitMax);
  const auto whole = std::chrono::duration_cast<seconds>(left);
  timespec limit{};
  limit.tv_sec = static_cast<std::time_t>(whole.count());
  limit.tv_nsec = static_cast<long>((left - whole).count());
  pollfd sources[] = {{wake_fd_, POLLIN, 0}, {other_fd, POLLIN, 0}};
  ::ppoll(sources, 2, &limit, nullptr);
}

}  // namespace voicebridge

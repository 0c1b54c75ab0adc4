#include "tests/load/event_loop.h"

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>

namespace voicebridge::load {

EventLoop::EventLoop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), scratch_(kScratchBytes, '\0') {
  ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
}

EventLoop::~EventLoop() { ::close(epoll_); }

TimePoint EventLoop::Now() { return std::chrono::steady_clock::now(); }

void EventLoop::Watch(int fd, std::uint32_t events, EventHandler& handler) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &handler;
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
}

void EventLoop::Change(int fd, std::uint32_t events, EventHandler& handler) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &handler;
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event);
}

void EventLoop::Forget(int fd) { ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr); }

void EventLoop::DispatchOnce(TimePoint limit) {
  const auto left = std::chrono::nanoseconds(std::max(limit - Now(), Duration::zero())).count();
  const timespec timeout{left / 1'000'000'000, left % 1'000'000'000};
  std::array<epoll_event, 256> events;
  const int count = ::epoll_pwait2(epoll_, events.data(), events.size(), &timeout, nullptr);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    static_cast<EventHandler*>(event.data.ptr)->OnEvents(event.events);
  }
}

}  // namespace voicebridge::load

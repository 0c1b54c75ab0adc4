// One thread waiting for sockets and instants.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "common/core/time.h"

namespace voicebridge::load {

// Told what epoll reports about one descriptor.
class EventHandler {
 public:
  virtual ~EventHandler() = default;
  virtual void OnEvents(std::uint32_t events) = 0;
};

// epoll and nothing else: a load tool must cost little beside what it measures. Used on one thread.
class EventLoop {
 public:
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  static TimePoint Now();

  // Level-triggered. The handler outlives its registration, and the dispatch in which that ends.
  void Watch(int fd, std::uint32_t events, EventHandler& handler);
  void Change(int fd, std::uint32_t events, EventHandler& handler);
  void Forget(int fd);

  // Waits for events, at most until `limit`, and dispatches them; once. Exact to the microsecond:
  // the thread's timer slack is off.
  void DispatchOnce(TimePoint limit);

  // Room to read into, shared by all sockets: what a socket leaves in it is gone with the next one.
  static constexpr std::size_t kScratchBytes = 1U << 20U;
  char* scratch() { return scratch_.data(); }

 private:
  int epoll_;
  std::string scratch_;
};

}  // namespace voicebridge::load

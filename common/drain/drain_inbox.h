// What other threads tell the main thread, which waits for it with poll(2).
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <variant>

#include "common/core/deadline.h"
#include "common/drain/drain_control.h"
#include "common/drain/drain_machine.h"

namespace voicebridge {

struct DrainAsked {
  DrainCommand command;
  std::shared_ptr<DrainListener> listener;
};
struct UndrainAsked {
  std::function<void(absl::Status)> done;
};
struct ListenerReleased {
  const DrainListener* listener;
};

using DrainNews = std::variant<DrainEvent, DrainAsked, UndrainAsked, ListenerReleased>;

// Push may be called from any thread, the rest on the main thread. What is queued is bounded by who
// pushes: open calls, and one event for each session, worker and piece of background work.
class DrainInbox {
 public:
  DrainInbox();
  ~DrainInbox();
  DrainInbox(const DrainInbox&) = delete;
  DrainInbox& operator=(const DrainInbox&) = delete;

  void Push(DrainNews news);

  // All that has come, in order.
  std::deque<DrainNews> Take();
  // Returns when something has come, `other_fd` is readable or the deadline has passed.
  void Wait(int other_fd, Deadline deadline);

 private:
  const int wake_fd_;
  std::mutex mutex_;
  std::deque<DrainNews> news_;
};

}  // namespace voicebridge

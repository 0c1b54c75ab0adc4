// A queue between coroutines of one executor, bounded in bytes.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

#include "common/async/awaitable.h"
#include "common/async/clock.h"
#include "common/async/event.h"
#include "common/async/first_to_finish.h"
#include "common/core/deadline.h"

namespace voicebridge {

// One consumer; producers push without waiting, then wait for room before they take in more. So the
// bound is `high_water` bytes plus what one producer takes in at a time: one message of any size.
// Two lanes: control frames overtake everything queued in the ordinary lane. What was pushed before
// Close is still delivered. Use from one executor only; at most one Pop and any number of
// WaitForRoom may be pending.
template <class T>
class Mailbox {
 public:
  Mailbox(const net::any_io_executor& executor, std::size_t high_water, std::size_t low_water)
      : high_water_(high_water), low_water_(low_water), filled_(executor), drained_(executor) {}

  // False once closed: the item is dropped.
  bool Push(T item, std::size_t bytes) { return PushTo(ordinary_, std::move(item), bytes); }
  bool PushControl(T item, std::size_t bytes) { return PushTo(control_, std::move(item), bytes); }

  // nullopt: closed and empty, or the calling task was cancelled.
  Awaitable<std::optional<T>> Pop() {
    while (control_.empty() && ordinary_.empty()) {
      const bool cancelled = co_await IsCancelled();
      if (closed_ || cancelled) {
        co_return std::nullopt;
      }
      co_await filled_.WaitUntilNotified();
    }
    co_return TakeNext();
  }

  // What Pop would return at once; nullopt when it would wait.
  std::optional<T> TryPop() {
    if (empty()) {
      return std::nullopt;
    }
    return TakeNext();
  }

  // What WaitForRoom would return at once; where it would wait, false. For the frame path: asking
  // costs nothing, awaiting does.
  bool HasRoom() const {
    return closed_ || bytes_ <= (paused_producers_ > 0 ? low_water_ : high_water_);
  }

  // Above the high-water mark, waits until the queue is down at its low-water mark (or closed).
  // False when the deadline came first or the calling task was cancelled.
  Awaitable<bool> WaitForRoom(Clock& clock, Deadline deadline) {
    const bool cancelled = co_await IsCancelled();
    if (cancelled || HasRoom()) {
      co_return HasRoom();
    }
    ++paused_producers_;
    co_await RunUntil(clock, deadline, WaitUntilRoom());
    const bool room = HasRoom();
    --paused_producers_;
    co_return room;
  }

  // Drops items of the ordinary lane; returns how many.
  template <class Predicate>
  std::size_t RemoveIf(Predicate predicate) {
    std::size_t removed = 0;
    for (auto entry = ordinary_.begin(); entry != ordinary_.end();) {
      if (predicate(entry->item)) {
        bytes_ -= entry->bytes;
        entry = ordinary_.erase(entry);
        ++removed;
      } else {
        ++entry;
      }
    }
    NotifyIfRoom();
    return removed;
  }

  void Close() {
    closed_ = true;
    filled_.Notify();
    drained_.Notify();
  }

  // Close, and forget what is queued.
  void Discard() {
    control_.clear();
    ordinary_.clear();
    bytes_ = 0;
    Close();
  }

  bool empty() const { return control_.empty() && ordinary_.empty(); }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    T item;
    std::size_t bytes;
  };
  using Lane = std::deque<Entry>;

  bool PushTo(Lane& lane, T item, std::size_t bytes) {
    if (closed_) {
      return false;
    }
    const bool was_empty = empty();
    lane.push_back(Entry{std::move(item), bytes});
    bytes_ += bytes;
    if (was_empty) {
      filled_.Notify();
    }
    return true;
  }

  T TakeNext() {
    Lane& lane = control_.empty() ? ordinary_ : control_;
    Entry entry = std::move(lane.front());
    lane.pop_front();
    bytes_ -= entry.bytes;
    NotifyIfRoom();
    return std::move(entry.item);
  }

  void NotifyIfRoom() {
    if (paused_producers_ > 0 && bytes_ <= low_water_) {
      drained_.Notify();
    }
  }

  Awaitable<void> WaitUntilRoom() {
    bool cancelled = co_await IsCancelled();
    while (!HasRoom() && !cancelled) {
      co_await drained_.WaitUntilNotified();
      cancelled = co_await IsCancelled();
    }
  }

  const std::size_t high_water_;
  const std::size_t low_water_;
  Event filled_;
  Event drained_;
  Lane control_;
  Lane ordinary_;
  std::size_t bytes_ = 0;
  bool closed_ = false;
  int paused_producers_ = 0;  // They wait for the low-water mark.
};

}  // namespace voicebridge

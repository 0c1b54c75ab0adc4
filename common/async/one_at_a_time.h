// Events for a machine whose effects may lead to further events.
#pragma once

#include <deque>
#include <utility>

namespace voicebridge {

// An event that comes while another is being handled waits for its end: a task that an effect
// starts may run at once, and speak before the other effects of the same event are carried out.
// Owned by whoever owns the machine, used on one executor. An event that waits must own what it
// carries; those that come one by one are handed through. No more wait than one event's effects
// have led to.
template <class Event>
class OneAtATime {
 public:
  // Calls `handle(event)` for it and for all that came meanwhile; if it throws, they still wait.
  template <class Handle>
  void Feed(Event event, const Handle& handle) {
    if (busy_) {
      waiting_.push_back(std::move(event));
      return;
    }
    const Busy busy(busy_);
    handle(std::move(event));
    while (!waiting_.empty()) {
      Event next = std::move(waiting_.front());
      waiting_.pop_front();
      handle(std::move(next));
    }
  }

 private:
  class Busy {
   public:
    explicit Busy(bool& busy) : busy_(busy) { busy_ = true; }
    ~Busy() { busy_ = false; }
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;

   private:
    bool& busy_;
  };

  std::deque<Event> waiting_;
  bool busy_ = false;
};

}  // namespace voicebridge

#include "common/async/teardown.h"

#include <utility>

#include "common/async/first_to_finish.h"

namespace voicebridge {

Teardown::Teardown(TaskGroup& tasks, Clock& clock, const net::any_io_executor& executor,
                   std::function<void()> cut_off)
    : tasks_(tasks), clock_(clock), cut_off_(std::move(cut_off)), tightened_(executor) {}

void Teardown::EndBy(Deadline deadline) {
  limits_.EndBy(deadline);
  tightened_.Notify();
}

void Teardown::Force() {
  limits_.Force(clock_.Now());
  tightened_.Notify();
}

Awaitable<void> Teardown::Run() {
  begun_ = clock_.Now();
  limits_.Begin(begun_);
  while (!tasks_.empty() && !limits_.end().HasPassed(clock_.Now())) {
    if (!is_cut_off_ && limits_.polite().HasPassed(clock_.Now())) {
      CutOff();
    }
    const Deadline next = NextLimit();
    co_await FirstToFinish(JoinUntil(next), WaitUntilTightened(next));
    const bool cancelled = co_await IsCancelled();
    if (cancelled) {
      // No wait of a cancelled task waits any more; the end is bounded by a force instead.
      co_await net::this_coro::reset_cancellation_state(net::disable_cancellation());
      Force();
    }
  }
}

Awaitable<void> Teardown::JoinUntil(Deadline deadline) { co_await tasks_.Join(clock_, deadline); }

Awaitable<void> Teardown::WaitUntilTightened(Deadline known) {
  const auto is_tightened = [this, known] { return NextLimit() < known; };
  co_await tightened_.WaitUntil(is_tightened);
}

void Teardown::CutOff() {
  is_cut_off_ = true;
  cut_off_();
  tasks_.CancelAll();
}

}  // namespace voicebridge

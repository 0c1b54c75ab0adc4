// The end of a session's tasks: politely, then by force.
#pragma once

#include <functional>

#include "common/async/awaitable.h"
#include "common/async/clock.h"
#include "common/async/event.h"
#include "common/async/task_group.h"
#include "common/async/teardown_limits.h"

namespace voicebridge {

// Owned by the session, used on its executor. EndBy and Force may come before Run and while it
// runs; both only bring the end forward.
class Teardown {
 public:
  // `cut_off` breaks what tasks wait for, at most once; they are cancelled after it.
  Teardown(TaskGroup& tasks, Clock& clock, const net::any_io_executor& executor,
           std::function<void()> cut_off);

  void EndBy(Deadline deadline);
  void Force();

  // The session begins to end: what is to be told was queued, and the group is closed. Returns when
  // all tasks have ended, or at the end of the limits. Also when the calling task was cancelled:
  // then as after Force.
  Awaitable<void> Run();

  // How long Run has taken up to now.
  Duration took() const { return clock_.Now() - begun_; }

 private:
  Deadline NextLimit() const { return is_cut_off_ ? limits_.end() : limits_.polite(); }
  void CutOff();
  Awaitable<void> JoinUntil(Deadline deadline);
  Awaitable<void> WaitUntilTightened(Deadline known);

  TaskGroup& tasks_;
  Clock& clock_;
  const std::function<void()> cut_off_;
  TeardownLimits limits_;
  Event tightened_;
  TimePoint begun_;
  bool is_cut_off_ = false;
};

}  // namespace voicebridge

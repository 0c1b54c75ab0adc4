// The owner of coroutines: every task in the project belongs to one of these.
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <vector>

#include "common/async/awaitable.h"
#include "common/async/clock.h"
#include "common/async/event.h"
#include "common/core/deadline.h"
#include "common/core/live_tasks.h"

namespace voicebridge {

// Owned by the object whose work it runs, as its last member, so that tasks may use every other
// member. All calls come from the group's executor. None of its tasks outlives the group: the owner
// closes, cancels and joins it first, and the destructor ends the process if a task is left,
// because that task would go on in freed memory.
class TaskGroup {
 public:
  // Told of an exception that crossed a task's boundary, which is a bug; the task ends, others go
  // on.
  using OnFailure = std::function<void(std::string_view task, const std::string& what)>;

  TaskGroup(net::any_io_executor executor, LiveTasks& live_tasks, OnFailure on_failure);
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // False, and the task never runs, once the group is closed.
  bool TrySpawn(TaskName name, Awaitable<void> task);

  // Refuses new tasks; those that run go on.
  void Close() { closed_ = true; }

  // The forced stop: every wait of every task ends now. Idempotent.
  void CancelAll();

  // True when the group is empty, false when the deadline came first.
  Awaitable<bool> Join(Clock& clock, Deadline deadline);

  std::vector<std::string_view> Unfinished() const;
  bool empty() const { return tasks_.empty(); }

 private:
  struct Task {
    Task(TaskName task_name, LiveTasks::Kind task_kind) : name(task_name), kind(task_kind) {}

    const TaskName name;
    const LiveTasks::Kind kind;
    net::cancellation_signal cancel;
  };
  using TaskList = std::list<Task>;

  void OnDone(TaskList::iterator task, const std::exception_ptr& failure);
  Awaitable<void> WaitUntilEmpty();

  net::any_io_executor executor_;
  LiveTasks& live_tasks_;
  OnFailure on_failure_;
  Event changed_;
  TaskList tasks_;
  bool closed_ = false;
};

}  // namespace voicebridge

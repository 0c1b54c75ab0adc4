#include "common/async/task_group.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <utility>

#include "common/async/first_to_finish.h"

namespace voicebridge {
namespace {

// Cancellation is terminal and does not throw: a task that is told to stop can still await its
// clean-up.
Awaitable<void> RunTask(Awaitable<void> task) {
  co_await net::this_coro::reset_cancellation_state(net::enable_terminal_cancellation());
  co_await net::this_coro::throw_if_cancelled(false);
  co_await std::move(task);
}

}  // namespace

TaskGroup::TaskGroup(net::any_io_executor executor, LiveTasks& live_tasks, OnFailure on_failure)
    : executor_(std::move(executor)),
      live_tasks_(live_tasks),
      on_failure_(std::move(on_failure)),
      changed_(executor_) {}

TaskGroup::~TaskGroup() {
  if (!tasks_.empty()) {
    std::fprintf(stderr, "task group destroyed while task '%s' runs\n", tasks_.front().name.text());
    std::abort();
  }
}

bool TaskGroup::TrySpawn(TaskName name, Awaitable<void> task) {
  if (closed_) {
    return false;
  }
  const auto entry = tasks_.emplace(tasks_.end(), name, live_tasks_.Add(name));
  net::co_spawn(executor_, RunTask(std::move(task)),
                net::bind_cancellation_slot(
                    entry->cancel.slot(),
                    [this, entry](const std::exception_ptr& failure) { OnDone(entry, failure); }));
  return true;
}

void TaskGroup::CancelAll() {
  // Emitting may complete a task, which erases its entry.
  for (auto next = tasks_.begin(); next != tasks_.end();) {
    const auto task = next++;
    task->cancel.emit(net::cancellation_type::terminal);
  }
}

Awaitable<void> TaskGroup::WaitUntilEmpty() {
  bool cancelled = co_await IsCancelled();
  while (!tasks_.empty() && !cancelled) {
    co_await changed_.WaitUntilNotified();
    cancelled = co_await IsCancelled();
  }
}

Awaitable<bool> TaskGroup::Join(Clock& clock, Deadline deadline) {
  if (!tasks_.empty()) {
    co_await RunUntil(clock, deadline, WaitUntilEmpty());
  }
  co_return tasks_.empty();
}

std::vector<std::string_view> TaskGroup::Unfinished() const {
  std::vector<std::string_view> names;
  for (const Task& task : tasks_) {
    names.push_back(task.name.view());
  }
  return names;
}

void TaskGroup::OnDone(TaskList::iterator task, const std::exception_ptr& failure) {
  const std::string_view name = task->name.view();
  live_tasks_.Remove(task->kind);
  tasks_.erase(task);
  if (failure) {
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& exception) {
      on_failure_(name, exception.what());
    } catch (...) {
      on_failure_(name, "unknown exception");
    }
  }
  changed_.Notify();
}

}  // namespace voicebridge

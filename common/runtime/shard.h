// One thread that owns an io_context, a gRPC completion queue and the sessions on both.
#pragma once

#include <grpcpp/completion_queue.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <future>
#include <memory>
#include <vector>

#include "common/async/clock.h"
#include "common/async/task_group.h"
#include "common/core/shard_meter.h"

namespace voicebridge {

// Nothing inside a session is locked and none of its frames crosses a thread: sockets and calls are
// polled in turn by Run. Owned by the composition root. Run is called by the shard's own thread;
// Stop and `executor()` may be used from any thread, all else only on the shard's.
class Shard {
 public:
  Shard(std::unique_ptr<grpc::CompletionQueue> queue, LiveTasks& live_tasks,
        TaskGroup::OnFailure on_failure);
  ~Shard();

  // Polls until Stop; then shuts the queue down and drains it, so that every operation has come
  // back. Calls that are still open by then must have been cancelled, or the drain waits for its
  // own bound.
  void Run();
  void Stop() { stopped_.store(true, std::memory_order_release); }

  // True once Run has returned; false when the deadline came first. For the main thread.
  bool WaitStopped(Deadline deadline);

  net::any_io_executor executor() { return io_.get_executor(); }
  grpc::CompletionQueue& queue() { return *queue_; }
  Clock& clock() { return clock_; }
  TaskGroup& tasks() { return tasks_; }
  // Read by any thread.
  ShardMeter& meter() { return meter_; }

  // Sessions that live here; input of the wait policy.
  std::size_t sessions = 0;

 private:
  struct TurnWork {
    std::size_t handlers = 0;
    std::size_t completions = 0;
  };

  TurnWork Turn();
  std::size_t PollHandlers();
  std::size_t DrainQueue();
  void DrainAfterShutdown();

  SystemClock clock_;
  ShardMeter meter_;
  net::io_context io_;
  net::executor_work_guard<net::io_context::executor_type> work_;
  std::unique_ptr<grpc::CompletionQueue> queue_;
  std::atomic<bool> stopped_ = false;
  std::promise<void> returned_;
  std::future<void> run_returned_ = returned_.get_future();
  TaskGroup tasks_;
};

}  // namespace voicebridge

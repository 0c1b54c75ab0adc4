#include "common/runtime/shard.h"

#include <grpcpp/support/time.h>
#include <time.h>

#include <utility>

#include "common/rpc/completion.h"
#include "common/runtime/wait_policy.h"

namespace voicebridge {
namespace {

// Bounds of one turn, so that neither flooding sockets nor flooding calls hold up the other: a
// handler with a large message costs tens of microseconds, so this many cost a few milliseconds.
constexpr std::size_t kHandlersPerTurn = 64;
constexpr std::size_t kCompletionsPerTurn = 64;
// After the queue's shutdown, for operations of cancelled calls to come back (4 to 9 ms for 200).
constexpr Duration kQueueDrainMax = milliseconds(250);

void Nap(Duration duration) {
  const auto nanos = std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count();
  const timespec request{nanos / 1'000'000'000, nanos % 1'000'000'000};
  ::clock_nanosleep(CLOCK_MONOTONIC, 0, &request, nullptr);
}

}  // namespace

Shard::Shard(std::unique_ptr<grpc::CompletionQueue> queue, LiveTasks& live_tasks,
             TaskGroup::OnFailure on_failure)
    : io_(1),
      work_(io_.get_executor()),
      queue_(std::move(queue)),
      tasks_(io_.get_executor(), live_tasks, std::move(on_failure)) {}

Shard::~Shard() = default;

void Shard::Run() {
  TimePoint last_work = clock_.Now();
  TimePoint due = last_work;  // When the turn would begin and end if it took no time.
  while (!stopped_.load(std::memory_order_acquire)) {
    const TurnWork done = Turn();
    const TimePoint now = clock_.Now();
    meter_.TurnEnded(now, now - due);
    due = now;
    if (done.handlers + done.completions > 0) {
      last_work = now;
    }
    // A turn that met a bound has left work behind.
    if (done.handlers < kHandlersPerTurn && done.completions < kCompletionsPerTurn) {
      const Duration nap = NapAfter(now - last_work, sessions);
      due += nap;
      Nap(nap);
    }
  }
  DrainAfterShutdown();
  returned_.set_value();
}

bool Shard::WaitStopped(Deadline deadline) {
  return run_returned_.wait_until(deadline.when()) == std::future_status::ready;
}

// Handlers run before the queue is drained, so that what sockets brought is written to calls in the
// same turn, and after it, so that what calls brought is written to sockets in the same turn.
Shard::TurnWork Shard::Turn() {
  TurnWork done;
  done.handlers = PollHandlers();
  done.completions = DrainQueue();
  if (done.completions > 0) {
    done.handlers += PollHandlers();
  }
  return done;
}

std::size_t Shard::PollHandlers() {
  std::size_t handlers = 0;
  while (handlers < kHandlersPerTurn && io_.poll_one() > 0) {
    ++handlers;
  }
  return handlers;
}

std::size_t Shard::DrainQueue() {
  const gpr_timespec no_wait = gpr_inf_past(GPR_CLOCK_MONOTONIC);
  std::size_t completions = 0;
  void* tag = nullptr;
  bool ok = false;
  while (completions < kCompletionsPerTurn &&
         queue_->AsyncNext(&tag, &ok, no_wait) == grpc::CompletionQueue::GOT_EVENT) {
    static_cast<CompletionTag*>(tag)->OnCompletion(ok);
    ++completions;
  }
  return completions;
}

void Shard::DrainAfterShutdown() {
  queue_->Shutdown();
  const Deadline deadline = Deadline::After(clock_.Now(), kQueueDrainMax);
  const gpr_timespec wait =
      gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(5, GPR_TIMESPAN));
  void* tag = nullptr;
  bool ok = false;
  gpr_timespec next = wait;
  while (!deadline.HasPassed(clock_.Now())) {
    const auto status = queue_->AsyncNext(&tag, &ok, next);
    if (status == grpc::CompletionQueue::SHUTDOWN) {
      break;
    }
    if (status == grpc::CompletionQueue::GOT_EVENT) {
      static_cast<CompletionTag*>(tag)->OnCompletion(ok);
    }
    PollHandlers();
    next = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(5, GPR_TIMESPAN));
  }
}

}  // namespace voicebridge

#include "bridge_worker/store/store_thread.h"

#include <boost/asio/post.hpp>
#include <mutex>

#include "bridge_worker/store/store_loop.h"
#include "common/async/clock.h"
#include "common/async/deadline_guard.h"
#include "common/async/event.h"
#include "common/core/status.h"

namespace voicebridge::worker {
namespace {

// For the job that runs when the thread is given up: Flush has had its time before.
constexpr Duration kStopMax = milliseconds(250);

// A job that a coroutine waits for. Lives in the coroutine's frame and is used on its executor; the
// store's thread knows it only through a link that is cut when the frame goes.
class AwaitedJob {
 public:
  AwaitedJob(const net::any_io_executor& executor, Deadline deadline)
      : ended_(executor),
        expiry_(executor,
                [this] { End(absl::DeadlineExceededError("the store has not answered in time")); }),
        link_(std::make_shared<Link>(this, executor)) {
    expiry_.Arm(deadline);
  }
  ~AwaitedJob() {
    const std::lock_guard lock(link_->mutex);
    link_->job = nullptr;
    link_->executor = {};
  }
  AwaitedJob(const AwaitedJob&) = delete;
  AwaitedJob& operator=(const AwaitedJob&) = delete;

  // To be called on the store's thread.
  std::function<void(const absl::Status&)> OnEnd() {
    return [link = link_](const absl::Status& status) { Post(link, status); };
  }

  Awaitable<absl::Status> Wait() {
    const auto ended = [this] { return outcome_.has_value(); };
    const bool in_time = co_await ended_.WaitUntil(ended);
    co_return in_time ? *outcome_ : absl::CancelledError("the caller was cancelled");
  }

 private:
  struct Link {
    Link(AwaitedJob* waiting, const net::any_io_executor& its) : job(waiting), executor(its) {}

    std::mutex mutex;  // Guards both, but reading `job` on the executor, where alone it changes.
    AwaitedJob* job;
    net::any_io_executor executor;
  };

  static void Post(const std::shared_ptr<Link>& link, const absl::Status& status) {
    const std::lock_guard lock(link->mutex);
    if (link->job == nullptr) {
      return;
    }
    net::post(link->executor, [link, status] {
      if (link->job != nullptr) {
        link->job->End(status);
      }
    });
  }

  void End(const absl::Status& status) {
    if (!outcome_) {
      outcome_ = status;
      ended_.Notify();
    }
  }

  Event ended_;
  DeadlineGuard expiry_;
  std::optional<absl::Status> outcome_;
  std::shared_ptr<Link> link_;
};

// A job that a thread waits for.
struct BlockingWait {
  std::mutex mutex;
  std::condition_variable ended;
  std::optional<absl::Status> outcome;
};

}  // namespace

StoreThread::StoreThread(std::unique_ptr<Store> store, Logger& logger, StoreMetrics& metrics,
                         LiveTasks& library_calls)
    : loop_(std::make_shared<StoreLoop>(std::move(store), StoreLoopLimits{kJobsMax, kBytesMax},
                                        logger, metrics, library_calls)),
      thread_([loop = loop_] { loop->Run(); }) {}

StoreThread::~StoreThread() {
  if (loop_->Stop(Deadline::After(SystemClock().Now(), kStopMax))) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

absl::Status StoreThread::Start(Deadline deadline) {
  const auto wait = std::make_shared<BlockingWait>();
  StoreJob job;
  job.work = [](Store&) { return absl::OkStatus(); };
  job.deadline = deadline;
  job.on_end = [wait](const absl::Status& status) {
    const std::lock_guard lock(wait->mutex);
    wait->outcome = status;
    wait->ended.notify_all();
  };
  absl::Status added = loop_->Add(std::move(job));
  if (!added.ok()) {
    return added;
  }
  std::unique_lock lock(wait->mutex);
  wait->ended.wait_until(lock, deadline.when(), [&wait] { return wait->outcome.has_value(); });
  const absl::Status opened =
      wait->outcome.value_or(DeadlineExceeded("it has not answered in time"));
  return absl::IsDeadlineExceeded(opened) ? Unavailable("{}", Message(opened)) : opened;
}

Awaitable<absl::Status> StoreThread::Run(Work work, std::size_t bytes, Deadline deadline) {
  const net::any_io_executor executor = co_await net::this_coro::executor;
  AwaitedJob awaited(executor, deadline);
  StoreJob job;
  job.work = std::move(work);
  job.bytes = bytes;
  job.deadline = deadline;
  job.on_end = awaited.OnEnd();
  absl::Status added = loop_->Add(std::move(job));
  if (!added.ok()) {
    co_return added;
  }
  co_return co_await awaited.Wait();
}

bool StoreThread::Flush(Deadline deadline) { return loop_->Flush(deadline); }

std::size_t StoreThread::pending() const { return loop_->pending(); }

bool StoreThread::available() const { return loop_->available(); }

}  // namespace voicebridge::worker

#include "bridge_worker/store/store_loop.h"

#include <algorithm>
#include <utility>

#include "common/async/clock.h"
#include "common/core/status.h"

namespace voicebridge::worker {
namespace {

// SQLite has waited for its lock already and PostgreSQL may be starting again: soon, then
// patiently.
constexpr Duration kFirstPause = milliseconds(10);
constexpr Duration kLongestPause = milliseconds(500);

TimePoint Now() { return SystemClock().Now(); }

// What the caller did, or lost, is no failure of the store.
bool IsFailure(absl::StatusCode code) {
  return code == absl::StatusCode::kUnavailable || code == absl::StatusCode::kInternal ||
         code == absl::StatusCode::kResourceExhausted;
}

}  // namespace

StoreLoop::StoreLoop(std::unique_ptr<Store> store, StoreLoopLimits limits, Logger& logger,
                     StoreMetrics& metrics, LiveTasks& library_calls)
    : store_(std::move(store)),
      limits_(limits),
      library_calls_(library_calls),
      logger_(&logger),
      metrics_(&metrics) {}

void StoreLoop::Run() {
  StoreJob job;
  while (Next(job)) {
    Perform(job);
    Forget(job);
    job = StoreJob();  // What it holds goes now, not with the next one.
  }
  const std::lock_guard lock(mutex_);
  returned_ = true;
  changed_.notify_all();
}

bool StoreLoop::Next(StoreJob& job) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return stopped_ || !waiting_.empty(); });
  if (stopped_) {
    return false;
  }
  job = std::move(waiting_.front());
  waiting_.pop_front();
  return true;
}

void StoreLoop::Perform(const StoreJob& job) {
  if (job.deadline.HasPassed(Now())) {
    // It would only hold up those that somebody still waits for.
    Count(StoreFailure::kLate);
    job.on_end(DeadlineExceeded("the store did not come to it in time"));
    return;
  }
  Duration pause = kFirstPause;
  absl::Status status = Attempt(job);
  while (absl::IsUnavailable(status)) {
    if (!PauseBeforeRetry(pause, job.deadline)) {
      Count(StoreFailure::kLate);
      job.on_end(DeadlineExceeded("{}", Message(status)));
      return;
    }
    pause = std::min(pause * 2, kLongestPause);
    status = Attempt(job);
  }
  job.on_end(status);
}

// OK: the work has ended, and its caller looks for the result, good or bad, where it left it.
absl::Status StoreLoop::Attempt(const StoreJob& job) {
  const ScopedTask counted(library_calls_, "store");
  if (!opened_) {
    absl::Status opened = store_->Open();
    NoteOutcome(opened);
    opened_ = opened.ok();
    if (!opened_) {
      return opened;
    }
  }
  absl::Status outcome = job.work(*store_);
  NoteOutcome(outcome);
  return absl::IsUnavailable(outcome) ? outcome : absl::OkStatus();
}

bool StoreLoop::PauseBeforeRetry(Duration pause, Deadline deadline) {
  std::unique_lock lock(mutex_);
  const TimePoint until = deadline.EarlierOf(Deadline::After(Now(), pause)).when();
  changed_.wait_until(lock, until, [this] { return stopped_; });
  return !stopped_ && !deadline.HasPassed(Now());
}

// One line when it changes, not one per job.
void StoreLoop::NoteOutcome(const absl::Status& status) {
  const absl::StatusCode code = IsFailure(status.code()) ? status.code() : absl::StatusCode::kOk;
  const std::lock_guard lock(mutex_);
  if (code != absl::StatusCode::kOk && metrics_ != nullptr) {
    metrics_->Count(code == absl::StatusCode::kUnavailable ? StoreFailure::kUnavailable
                                                           : StoreFailure::kFailed);
  }
  if (code == last_outcome_) {
    return;
  }
  last_outcome_ = code;
  if (logger_ == nullptr) {
    return;
  }
  if (code == absl::StatusCode::kOk) {
    logger_->Info("store.recovered", {});
  } else if (code == absl::StatusCode::kUnavailable) {
    logger_->Warning("store.unavailable", {{"error", Message(status)}});
  } else {
    logger_->Error("store.failed", {{"error", Message(status)}});
  }
}

void StoreLoop::Count(StoreFailure failure) {
  const std::lock_guard lock(mutex_);
  if (metrics_ != nullptr) {
    metrics_->Count(failure);
  }
}

void StoreLoop::Forget(const StoreJob& job) {
  const std::lock_guard lock(mutex_);
  if (metrics_ != nullptr) {
    metrics_->ObserveJob(Now() - job.given);
  }
  --jobs_;
  bytes_ -= job.bytes;
  changed_.notify_all();
}

absl::Status StoreLoop::Add(StoreJob job) {
  const std::lock_guard lock(mutex_);
  if (closed_) {
    return Unavailable("the store has been closed");
  }
  if (jobs_ >= limits_.jobs_max || job.bytes > limits_.bytes_max - bytes_) {
    if (metrics_ != nullptr) {
      metrics_->Count(StoreFailure::kRefused);
    }
    return absl::ResourceExhaustedError("the store is too far behind");
  }
  job.given = Now();
  ++jobs_;
  bytes_ += job.bytes;
  waiting_.push_back(std::move(job));
  changed_.notify_all();
  return absl::OkStatus();
}

bool StoreLoop::Flush(Deadline deadline) {
  std::unique_lock lock(mutex_);
  closed_ = true;
  return changed_.wait_until(lock, deadline.when(), [this] { return jobs_ == 0; });
}

bool StoreLoop::Stop(Deadline deadline) {
  std::deque<StoreJob> dropped;
  std::unique_lock lock(mutex_);
  closed_ = true;
  stopped_ = true;
  dropped.swap(waiting_);
  changed_.notify_all();
  const bool returned = changed_.wait_until(lock, deadline.when(), [this] { return returned_; });
  if (!returned) {
    logger_ = nullptr;
    metrics_ = nullptr;
  }
  lock.unlock();
  for (const StoreJob& job : dropped) {
    job.on_end(absl::CancelledError("the store is closed"));
  }
  return returned;
}

std::size_t StoreLoop::pending() const {
  const std::lock_guard lock(mutex_);
  return jobs_;
}

bool StoreLoop::available() const {
  const std::lock_guard lock(mutex_);
  return last_outcome_ != absl::StatusCode::kUnavailable;
}

}  // namespace voicebridge::worker

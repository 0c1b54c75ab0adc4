// The round of AssessmentDesk: what waits in the queue, what others left, and what has become of
// it.
#include <utility>

#include "bridge_worker/interview/assessment_desk.h"
#include "common/async/first_to_finish.h"
#include "common/core/status.h"

namespace voicebridge::worker {
namespace {

constexpr Duration kStoreMax = seconds(5);

}  // namespace

void AssessmentDesk::Wake() {
  woken_ = true;
  changed_.Notify();
}

Awaitable<void> AssessmentDesk::WaitForWake() {
  const auto is_woken = [this] { return woken_; };
  co_await changed_.WaitUntil(is_woken);
}

Awaitable<void> AssessmentDesk::WaitForIdle() {
  const auto is_idle = [this] { return runs_.empty() && storing_.empty() && !rounds_; };
  co_await changed_.WaitUntil(is_idle);
}

Awaitable<void> AssessmentDesk::Wait() {
  Deadline next = next_reap_;
  if (const std::optional<TimePoint> expiry = queue_.NextExpiry()) {
    next = next.EarlierOf(Deadline::At(*expiry));
  }
  co_await RunUntil(tools_.clock, next, WaitForWake());
  woken_ = false;
}

Awaitable<void> AssessmentDesk::GoRound() {
  bool cancelled = co_await IsCancelled();
  while (!stopping_ && !cancelled) {
    co_await EndExpired();
    co_await TakeUpQueued();
    if (next_reap_.HasPassed(tools_.clock.Now())) {
      next_reap_ = In(tools_.limits.reap_interval);
      co_await TakeUpAbandoned();
      co_await LookAfterWatched();
    }
    if (!stopping_) {
      co_await Wait();
    }
    cancelled = co_await IsCancelled();
  }
  rounds_ = false;
  changed_.Notify();
}

Awaitable<void> AssessmentDesk::EndExpired() {
  const std::vector<QueuedAssessment> expired = queue_.TakeExpired(tools_.clock.Now());
  if (!expired.empty()) {
    TellMoved();
  }
  for (const QueuedAssessment& entry : expired) {
    if (!held_) {
      co_await EndExpired(entry);
    }
  }
}

// Whoever writes a failure owns the assessment, so it is claimed for that.
Awaitable<void> AssessmentDesk::EndExpired(const QueuedAssessment& entry) {
  const auto claimed = co_await Claim(1, entry.assessment_id);
  if (held_ || (claimed && claimed->empty())) {
    co_return;  // It stays pending; or another process has it, and its end is looked for.
  }
  absl::Status status = absl::UnavailableError("the store is away");
  if (claimed) {
    const AssessmentRecord& record = claimed->front();
    status = co_await tools_.records.Fail(record.assessment_id, record.claim, "queue_timeout",
                                          In(kStoreMax));
  }
  // Not stored: it is still pending, and may be taken up later all the same.
  tools_.metrics.ObserveEnd(AssessmentResult::kQueueTimeout, tools_.limits.queue_max);
  LoggerOfTrace(tools_.logger, entry.traceparent)
      .Warning("assessment.failed", {{"session", entry.session_id},
                                     {"assessment", entry.assessment_id},
                                     {"reason", "queue_timeout"},
                                     {"stored", status.ok()}});
  TellFailed(entry.session_id, "queue_timeout");
}

Awaitable<void> AssessmentDesk::TakeUpQueued() {
  while (!held_ && !IsFull() && !queue_.empty()) {
    QueuedAssessment first = *queue_.TakeFirst();
    auto claimed = co_await Claim(1, first.assessment_id);
    if (!claimed) {
      queue_.PutBack(std::move(first));
      co_return;  // The next reap tries again.
    }
    if (!claimed->empty()) {
      claimed->front().traceparent = std::move(first.traceparent);
      Run(std::move(claimed->front()));
    }
    TellMoved();
  }
}

Awaitable<void> AssessmentDesk::TakeUpAbandoned() {
  if (held_ || IsFull() || !queue_.empty()) {
    co_return;
  }
  auto claimed = co_await Claim(tools_.limits.parallel - runs_.size(), "");
  if (!claimed) {
    co_return;
  }
  for (AssessmentRecord& record : *claimed) {
    queue_.Remove(record.assessment_id);  // It may have come in meanwhile.
    Run(std::move(record));
  }
  TellMoved();
}

Awaitable<std::optional<std::vector<AssessmentRecord>>> AssessmentDesk::Claim(std::size_t count,
                                                                              std::string only) {
  absl::StatusOr<std::vector<AssessmentRecord>> claimed =
      co_await tools_.records.Claim(count, std::move(only), In(kStoreMax));
  if (claimed.status().code() == absl::StatusCode::kCancelled) {
    co_return std::nullopt;
  }
  if (!claimed.ok()) {
    tools_.logger.Warning("assessment.claim_failed", {{"error", Message(claimed.status())}});
    co_return std::nullopt;
  }
  if (!held_) {
    co_return *std::move(claimed);
  }
  for (const AssessmentRecord& record : *claimed) {
    co_await ReleaseUnstarted(record);
  }
  co_return std::nullopt;
}

Awaitable<void> AssessmentDesk::ReleaseUnstarted(const AssessmentRecord& record) {
  const absl::Status status = co_await tools_.records.Release(
      record.assessment_id, record.claim, In(kStoreMax).EarlierOf(stop_deadline_));
  if (!status.ok()) {
    not_released_.push_back(record.assessment_id);
  }
}

// Assessments that sessions here wait for and that do not run here.
Awaitable<void> AssessmentDesk::LookAfterWatched() {
  std::vector<std::string> sessions;
  for (const auto& [session_id, told] : watched_) {
    sessions.push_back(session_id);
  }
  for (const std::string& session_id : sessions) {
    const bool store_is_there = co_await LookAfter(session_id);
    if (!store_is_there || stopping_) {
      co_return;
    }
  }
}

Awaitable<bool> AssessmentDesk::LookAfter(std::string session_id) {
  if (RunOf(session_id) != nullptr || storing_.contains(session_id)) {
    co_return true;
  }
  const absl::StatusOr<AssessmentRecord> record =
      co_await tools_.records.Find(session_id, In(kStoreMax));
  // It may have been taken up, and ended, while the store was asked.
  if (record.ok() && RunOf(session_id) == nullptr) {
    TellState(*record);
  }
  co_return record.ok() || record.status().code() == absl::StatusCode::kNotFound;
}

}  // namespace voicebridge::worker

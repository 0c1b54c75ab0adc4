#include "bridge_worker/interview/assessment_desk.h"

#include <algorithm>
#include <utility>

#include "common/async/first_to_finish.h"
#include "common/core/status.h"

namespace voicebridge::worker {
namespace {

// A trigger is worth some patience with a store that is away, but its session waits to be told.
constexpr Duration kCreateMax = seconds(30);

AssessmentResult ResultOf(AssessmentRun::End end) {
  switch (end) {
    case AssessmentRun::End::kCompleted:
      return AssessmentResult::kCompleted;
    case AssessmentRun::End::kFailed:
      return AssessmentResult::kFailed;
    case AssessmentRun::End::kLost:
      return AssessmentResult::kLost;
    case AssessmentRun::End::kNotStored:
      return AssessmentResult::kNotStored;
    case AssessmentRun::End::kReleased:
    case AssessmentRun::End::kNotReleased:
      return AssessmentResult::kReleased;
  }
  return AssessmentResult::kLost;
}

}  // namespace

AssessmentDesk::AssessmentDesk(const AssessmentTools& tools, net::any_io_executor executor,
                               TaskGroup& tasks, Tell tell)
    : tools_(tools),
      executor_(std::move(executor)),
      tasks_(tasks),
      tell_(std::move(tell)),
      changed_(executor_) {}

void AssessmentDesk::Start() {
  next_reap_ = Deadline::At(tools_.clock.Now());
  rounds_ = true;
  rounds_ = tasks_.TrySpawn("assessment rounds", GoRound());
}

// --- What comes in ---

void AssessmentDesk::Assess(SessionOwner owner, AssessmentRecord assessment,
                            Duration words_awaited) {
  const std::string& session_id = owner.session_id;
  watched_[session_id] = Told::kNothing;
  if (const auto run = RunOf(session_id)) {
    tell_(session_id, AssessmentRunning{std::max(run->attempt(), 1U)});
    return;
  }
  if (const std::size_t position = queue_.PositionOf(assessment.assessment_id); position != 0) {
    tell_(session_id, AssessmentQueued{position});
    return;
  }
  Wish wish{std::move(owner), std::move(assessment), words_awaited};
  const auto [storing, is_first] = storing_.try_emplace(wish.owner.session_id);
  if (is_first) {
    tasks_.TrySpawn("assessment store", StoreAndAdmit(std::move(wish)));
  } else {
    storing->second = std::move(wish);
  }
}

Awaitable<void> AssessmentDesk::StoreAndAdmit(Wish wish) {
  const std::string session_id = wish.owner.session_id;
  absl::StatusOr<AssessmentRecord> stored = co_await Create(wish);
  while (stored.ok() && storing_.at(session_id)) {
    wish = *std::exchange(storing_.at(session_id), std::nullopt);
    stored = co_await Create(wish);
  }
  storing_.erase(session_id);
  changed_.Notify();
  if (!stored.ok()) {
    NotStored(wish, stored.status());
  } else if (wish.words_awaited == Duration::zero()) {
    Admit(*stored);
  }
}

Awaitable<absl::StatusOr<AssessmentRecord>> AssessmentDesk::Create(const Wish& wish) {
  // Nobody else takes it up while its words are awaited; nor, for a lease, when they are late.
  const Duration reserved = wish.words_awaited > Duration::zero()
                                ? wish.words_awaited + tools_.limits.lease
                                : Duration::zero();
  SessionOwner owner = wish.owner;
  AssessmentRecord assessment = wish.assessment;
  absl::StatusOr<AssessmentRecord> stored = co_await tools_.records.Create(
      std::move(owner), std::move(assessment), reserved, In(kCreateMax));
  if (stored.ok()) {
    stored->traceparent = wish.owner.traceparent;
    LoggerOfTrace(tools_.logger, stored->traceparent)
        .Info("assessment.stored",
              {{"session", stored->session_id},
               {"assessment", stored->assessment_id},
               {"words", reserved > Duration::zero() ? "awaited" : "complete"}});
    if (reserved > Duration::zero()) {
      reserved_.insert(stored->session_id);
    } else {
      reserved_.erase(stored->session_id);
    }
    tell_(stored->session_id, AssessmentStored{});
  }
  co_return stored;
}

void AssessmentDesk::NotStored(const Wish& wish, const absl::Status& why) {
  const std::string& session_id = wish.owner.session_id;
  const bool superseded = why.code() == absl::StatusCode::kAborted;
  const bool was_reserved = reserved_.erase(session_id) > 0;
  if (was_reserved && !superseded) {
    // What was said last is missing: it is taken up without that once it is not reserved any more.
    tools_.lost.Count(RecordKind::kLastWords);
    LoggerOfTrace(tools_.logger, wish.owner.traceparent)
        .Warning("assessment.words_lost", {{"session", session_id}, {"error", Message(why)}});
    return;
  }
  const std::string_view reason = superseded ? "superseded" : "store_unavailable";
  if (!superseded) {
    tools_.lost.Count(RecordKind::kAssessment);
  }
  LoggerOfTrace(tools_.logger, wish.owner.traceparent)
      .Log(superseded ? LogLevel::kInfo : LogLevel::kError, "assessment.failed",
           {{"session", session_id},
            {"assessment", wish.assessment.assessment_id},
            {"reason", reason},
            {"error", Message(why)}});
  TellFailed(session_id, std::string(reason));
}

void AssessmentDesk::Readmit(const AssessmentRecord& record) {
  if (const auto watched = watched_.find(record.session_id); watched != watched_.end()) {
    watched->second = Told::kNothing;
  }
  Admit(record);
}

void AssessmentDesk::Admit(const AssessmentRecord& record) {
  if (const auto run = RunOf(record.session_id)) {
    tell_(record.session_id, AssessmentRunning{std::max(run->attempt(), 1U)});
    return;
  }
  if (record.state != AssessmentState::kPending) {
    TellState(record);
    return;
  }
  if (held_) {
    tell_(record.session_id, AssessmentQueued{1});  // Whoever takes it up is not this process.
    return;
  }
  const TimePoint expires = tools_.clock.Now() + tools_.limits.queue_max;
  queue_.Push({record.assessment_id, record.session_id, expires, record.traceparent});
  TellMoved();
  Wake();
}

void AssessmentDesk::Forget(const std::string& session_id) { watched_.erase(session_id); }

// --- What goes out ---

// As the store has it; each news once.
void AssessmentDesk::TellState(const AssessmentRecord& record) {
  const auto watched = watched_.find(record.session_id);
  if (watched == watched_.end()) {
    return;
  }
  if (record.state == AssessmentState::kCompleted) {
    tell_(record.session_id, AssessmentCompleted{record.report_json});
    watched_.erase(watched);
  } else if (record.state == AssessmentState::kFailed && watched->second != Told::kFailed) {
    TellFailed(record.session_id, record.failure_reason);
  } else if (record.state == AssessmentState::kRunning && watched->second != Told::kRunning) {
    watched->second = Told::kRunning;
    tell_(record.session_id, AssessmentRunning{1});  // Elsewhere; which attempt is not known here.
  }
}

// It stays watched: a retry may begin, also in another process.
void AssessmentDesk::TellFailed(const std::string& session_id, std::string reason) {
  const auto watched = watched_.find(session_id);
  if (watched != watched_.end()) {
    watched->second = Told::kFailed;
    tell_(session_id, AssessmentFailed{std::move(reason)});
  }
}

void AssessmentDesk::TellMoved() {
  for (const AssessmentQueue::Moved& moved : queue_.TakeMoved()) {
    tell_(moved.session_id, AssessmentQueued{moved.position});
  }
  Count();
}

void AssessmentDesk::Count() {
  running_.store(runs_.size(), std::memory_order_relaxed);
  queued_.store(queue_.size(), std::memory_order_relaxed);
}

// --- Runs ---

std::shared_ptr<AssessmentRun> AssessmentDesk::RunOf(const std::string& session_id) const {
  for (const auto& [assessment_id, run] : runs_) {
    if (run->record().session_id == session_id) {
      return run;
    }
  }
  return nullptr;
}

void AssessmentDesk::Run(AssessmentRecord record) {
  if (const auto running = runs_.find(record.assessment_id); running != runs_.end()) {
    running->second->Adopt(record.claim);
    return;
  }
  const std::string session_id = record.session_id;
  const std::string assessment_id = record.assessment_id;
  const auto on_attempt = [this, session_id](unsigned attempt) {
    if (const auto watched = watched_.find(session_id); watched != watched_.end()) {
      watched->second = Told::kRunning;
    }
    tell_(session_id, AssessmentRunning{attempt});
  };
  auto run = std::make_shared<AssessmentRun>(tools_, std::move(record), executor_, on_attempt);
  runs_.emplace(assessment_id, run);
  run->logger().Info(
      "assessment.claimed",
      {{"session", session_id}, {"assessment", assessment_id}, {"claim", run->record().claim}});
  if (!tasks_.TrySpawn("assessment", RunToEnd(run))) {
    runs_.erase(assessment_id);  // The process ends by force: its lease frees it.
  }
  Count();
}

Awaitable<void> AssessmentDesk::RunToEnd(std::shared_ptr<AssessmentRun> run) {
  const AssessmentRun::End end = co_await run->Run();
  runs_.erase(run->record().assessment_id);
  Count();
  tools_.metrics.ObserveEnd(ResultOf(end), run->age());
  OnEnd(*run, end);
  Wake();
}

void AssessmentDesk::OnEnd(const AssessmentRun& run, AssessmentRun::End end) {
  const std::string& session_id = run.record().session_id;
  switch (end) {
    case AssessmentRun::End::kCompleted:
      tell_(session_id, AssessmentCompleted{run.report_json()});
      watched_.erase(session_id);
      break;
    case AssessmentRun::End::kFailed:
      TellFailed(session_id, run.failure_reason());
      break;
    case AssessmentRun::End::kNotStored:
      TellFailed(session_id, "store_unavailable");
      break;
    case AssessmentRun::End::kNotReleased:
      not_released_.push_back(run.record().assessment_id);
      break;
    case AssessmentRun::End::kLost:
    case AssessmentRun::End::kReleased:
      break;
  }
}

Awaitable<std::vector<std::string>> AssessmentDesk::Stop(Deadline deadline) {
  held_ = true;
  stopping_ = true;
  stop_deadline_ = stop_deadline_.EarlierOf(deadline);
  for (const auto& [assessment_id, run] : runs_) {
    run->Stop(stop_deadline_);
  }
  Wake();
  const bool is_idle = co_await RunUntil(tools_.clock, deadline, WaitForIdle());
  // What comes to be stored from now on is the store's to save, and to name.
  co_return is_idle ? not_released_ : LeftUnstored();
}

std::vector<std::string> AssessmentDesk::LeftUnstored() const {
  std::vector<std::string> names = not_released_;
  for (const auto& [assessment_id, run] : runs_) {
    names.push_back(assessment_id);
  }
  for (const auto& [session_id, next] : storing_) {
    if (!reserved_.contains(session_id)) {
      names.push_back(session_id);
    }
  }
  return names;
}

void AssessmentDesk::Resume() {
  held_ = false;
  stopping_ = false;
  stop_deadline_ = Deadline::Never();
  not_released_.clear();
  if (rounds_) {
    next_reap_ = Deadline::At(tools_.clock.Now());  // What was stored meanwhile is taken up now.
    Wake();
  } else {
    Start();
  }
}

}  // namespace voicebridge::worker

#include "bridge_worker/interview/assessment_desk.h"

#include <algorithm>
#include <utility>

#include "common/async/first_to_finish.h"
#include "common/core/status.h"

namespace voicebridge::worker {
namespace {

// A trigger is worth some patience with a store that is away, but its session waits to be told.
constexpr Duration kCreateMax = seconds(30);

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

void AssessmentDesk::Assess(SessionOwner owner, AssessmentRecord assessment) {
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
  if (storing_.insert(session_id).second) {
    tasks_.TrySpawn("assessment store", StoreAndAdmit(std::move(owner), std::move(assessment)));
  }
}

Awaitable<void> AssessmentDesk::StoreAndAdmit(SessionOwner owner, AssessmentRecord assessment) {
  const std::string session_id = owner.session_id;
  const std::string assessment_id = assessment.assessment_id;
  const absl::StatusOr<AssessmentRecord> stored =
      co_await tools_.records.Create(std::move(owner), std::move(assessment), In(kCreateMax));
  storing_.erase(session_id);
  changed_.Notify();
  if (stored.ok()) {
    tools_.logger.Info("assessment.stored",
                       {{"session", session_id}, {"assessment", stored->assessment_id}});
    Admit(*stored);
    co_return;
  }
  const bool superseded = stored.status().code() == absl::StatusCode::kAborted;
  tools_.logger.Log(superseded ? LogLevel::kInfo : LogLevel::kError, "assessment.failed",
                    {{"session", session_id},
                     {"assessment", assessment_id},
                     {"reason", superseded ? "superseded" : "store_unavailable"},
                     {"error", Message(stored.status())}});
  TellFailed(session_id, superseded ? "superseded" : "store_unavailable");
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
  queue_.Push({record.assessment_id, record.session_id, expires});
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
  tools_.logger.Info("assessment.claimed", {{"session", record.session_id},
                                            {"assessment", record.assessment_id},
                                            {"claim", record.claim}});
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
  if (!tasks_.TrySpawn("assessment", RunToEnd(run))) {
    runs_.erase(assessment_id);  // The process ends by force: its lease frees it.
  }
  Count();
}

Awaitable<void> AssessmentDesk::RunToEnd(std::shared_ptr<AssessmentRun> run) {
  const AssessmentRun::End end = co_await run->Run();
  runs_.erase(run->record().assessment_id);
  Count();
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
  co_await RunUntil(tools_.clock, deadline, WaitForIdle());
  co_return NotStored();
}

std::vector<std::string> AssessmentDesk::NotStored() const {
  std::vector<std::string> names = not_released_;
  for (const auto& [assessment_id, run] : runs_) {
    names.push_back(assessment_id);
  }
  names.insert(names.end(), storing_.begin(), storing_.end());
  return names;
}

void AssessmentDesk::Resume() {
  held_ = false;
  stopping_ = false;
  stop_deadline_ = Deadline::Never();
  not_released_.clear();
  if (!rounds_) {
    Start();
  }
  Wake();
}

}  // namespace voicebridge::worker

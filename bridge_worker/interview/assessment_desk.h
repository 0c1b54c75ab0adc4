// The assessments of this process: those that wait, those that run, and those of others that a
// session here wants to know of. Private to the assessment service.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "bridge_worker/interview/assessment_queue.h"
#include "bridge_worker/interview/assessment_run.h"
#include "common/async/task_group.h"

namespace voicebridge::worker {

// All calls on one executor. One task, the round, takes assessments up: it alone claims, so the
// limit of parallel runs cannot be missed. It goes round when woken, when an entry of the queue
// expires, and at each reap_interval, when it also looks for assessments that nobody works on and
// for the end of those that others do. The store is the truth; the queue is only the order in which
// this process comes to what it stored as pending, and any process may be faster.
class AssessmentDesk {
 public:
  using Tell = std::function<void(const std::string& session_id, AssessmentUpdate update)>;

  AssessmentDesk(const AssessmentTools& tools, net::any_io_executor executor, TaskGroup& tasks,
                 Tell tell);

  void Start();
  // As AssessmentService says.
  void Assess(SessionOwner owner, AssessmentRecord assessment, Duration words_awaited);
  // It was stored as pending by a retry.
  void Readmit(const AssessmentRecord& record);
  // Nobody here wants to know of it any more; it goes on.
  void Forget(const std::string& session_id);
  void Hold() { held_ = true; }
  Awaitable<std::vector<std::string>> Stop(Deadline deadline);
  void Resume();

  // From any thread.
  std::size_t running() const { return running_.load(std::memory_order_relaxed); }
  std::size_t queued() const { return queued_.load(std::memory_order_relaxed); }

 private:
  // What a session that wants to know was told last.
  enum class Told { kNothing, kRunning, kFailed };
  // What a session wants to have stored.
  struct Wish {
    SessionOwner owner;
    AssessmentRecord assessment;
    Duration words_awaited;
  };

  Awaitable<void> StoreAndAdmit(Wish wish);
  Awaitable<absl::StatusOr<AssessmentRecord>> Create(const Wish& wish);
  void NotStored(const Wish& wish, const absl::Status& why);
  void Admit(const AssessmentRecord& record);
  void TellState(const AssessmentRecord& record);
  void TellFailed(const std::string& session_id, std::string reason);
  void TellMoved();

  Awaitable<void> GoRound();
  Awaitable<void> Wait();
  Awaitable<void> WaitForWake();
  Awaitable<void> WaitForIdle();
  void Wake();
  Awaitable<void> EndExpired();
  Awaitable<void> EndExpired(const QueuedAssessment& entry);
  Awaitable<void> TakeUpQueued();
  Awaitable<void> TakeUpAbandoned();
  Awaitable<void> LookAfterWatched();
  Awaitable<bool> LookAfter(std::string session_id);
  // nullopt: the store is away. Empty as well when the assessment is not to be had.
  Awaitable<std::optional<std::vector<AssessmentRecord>>> Claim(std::size_t count,
                                                                std::string only);

  void Run(AssessmentRecord record);
  Awaitable<void> RunToEnd(std::shared_ptr<AssessmentRun> run);
  void OnEnd(const AssessmentRun& run, AssessmentRun::End end);
  Awaitable<void> ReleaseUnstarted(const AssessmentRecord& record);
  std::vector<std::string> LeftUnstored() const;
  std::shared_ptr<AssessmentRun> RunOf(const std::string& session_id) const;
  bool IsFull() const { return runs_.size() >= tools_.limits.parallel; }
  void Count();

  Deadline In(Duration budget) const { return Deadline::After(tools_.clock.Now(), budget); }

  const AssessmentTools& tools_;
  const net::any_io_executor executor_;
  TaskGroup& tasks_;
  const Tell tell_;
  AssessmentQueue queue_;
  std::map<std::string, std::shared_ptr<AssessmentRun>> runs_;  // By assessment; each a task's.
  std::map<std::string, Told> watched_;                         // By session.
  std::set<std::string> reserved_;                      // Sessions: stored, with words to come.
  std::map<std::string, std::optional<Wish>> storing_;  // By session: what it wants next.
  bool rounds_ = false;                                 // GoRound lives.
  bool woken_ = false;
  bool held_ = false;      // Nothing is taken up.
  bool stopping_ = false;  // And what runs is ended.
  Deadline stop_deadline_ = Deadline::Never();
  Deadline next_reap_ = Deadline::Never();
  std::vector<std::string> not_released_;
  Event changed_;
  std::atomic<std::size_t> running_ = 0;
  std::atomic<std::size_t> queued_ = 0;
};

}  // namespace voicebridge::worker

// Drives the DrainMachine of a process on its main thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/core/deadline.h"
#include "common/drain/drain_control.h"
#include "common/drain/drain_inbox.h"
#include "common/drain/drain_machine.h"
#include "common/drain/drain_state.h"
#include "common/drain/watchdog.h"
#include "common/observability/log.h"

namespace voicebridge {

// What a drain does to a process. Called on the main thread; every method returns at once, and what
// takes time is answered through DrainCoordinator::Post.
class DrainedProcess {
 public:
  virtual ~DrainedProcess() = default;

  // The flag is set already: readiness, health and admission follow it.
  virtual void RefuseAdmission() = 0;
  // Once, when nothing can keep the process from ending any more: by `end` it is gone.
  virtual void AnnounceExit(Deadline end) = 0;
  virtual void AnnounceDrain(Deadline deadline) = 0;
  virtual void CallWorkers(const DrainWorkers& order) = 0;
  virtual void StopBackground(Deadline deadline) = 0;
  virtual void EndSessions(Deadline deadline) = 0;
  virtual void ForceSessions() = 0;
  virtual void SaveRecords(Deadline deadline) = 0;
  // What is not saved by now, for a store that does not answer.
  virtual std::vector<std::string> Unsaved() = 0;
  virtual void AdmitAgain() = 0;
  virtual std::int64_t live_tasks() const = 0;
  virtual std::int64_t live_sessions() const = 0;
};

// Owned by the composition root. The main thread runs no handlers, so that no wedged shard, stuck
// store or slow peer keeps a drain from its next step: whatever is not answered is counted as left
// when its time comes.
class DrainCoordinator final : public DrainControl {
 public:
  // All outlives the coordinator. `budget`: where a request or a signal names none.
  DrainCoordinator(DrainRole role, Duration budget, Watchdog& watchdog, DrainState& state,
                   Logger& logger);

  // From any thread.
  void Post(DrainEvent event) { inbox_.Push(std::move(event)); }

  absl::StatusOr<DrainCommand> Check(const v1::DrainRequest& request,
                                     const Duration* budget) const override;
  void Drain(DrainCommand command, std::shared_ptr<DrainListener> listener) override;
  void Release(const DrainListener* listener) override;
  void Undrain(std::function<void(absl::Status)> done) override;

  // How the drain that ended the process went.
  struct End {
    DrainPlan plan;
    bool forced;
  };

  // On the main thread, for as long as the process serves: until a drain that exits is over and
  // whoever watched it was told, within the plan.
  End Run(DrainedProcess& process);

 private:
  // What the log has said of a process that exits.
  enum class ShutdownStep { kNone, kWaiting, kStore };

  void WaitForNews();
  void TakeSignal();
  void TakeNews(DrainNews& news);
  void Handle(const DrainEvent& event);
  void Perform(const RefuseAdmission& wanted);
  void Perform(const AnnounceDrain& wanted);
  void Perform(const ArmWatchdog& wanted);
  void Perform(const DrainWorkers& wanted);
  void Perform(const StopBackground& wanted);
  void Perform(const EndSessions& wanted);
  void Perform(const ForceSessions& wanted);
  void Perform(const SaveRecords& wanted);
  void Perform(const AdmitAgain& wanted);
  void Perform(const AnswerUndrain& wanted);
  void Perform(const Conclude& wanted);
  void LogRequest(const DrainCommand& command, DrainPhase before, bool exited_before);
  void LogEnd(const v1::DrainSummary& summary);
  void LogShutdown(ShutdownStep step);
  v1::DrainProgress Progress() const;
  void Publish();
  void EndListeners(const absl::Status& status);
  void WaitForListeners();
  TimePoint Now() const;

  const DrainRole role_;
  const Duration budget_;
  Watchdog& watchdog_;
  DrainState& state_;
  Logger& logger_;
  DrainedProcess* process_ = nullptr;
  DrainInbox inbox_;
  DrainMachine machine_;
  bool signal_taken_ = false;
  bool counted_ = false;  // This drain's sessions, in the state.
  Duration took_{};       // Of the drain that has ended.
  ShutdownStep logged_step_ = ShutdownStep::kNone;
  Deadline next_progress_ = Deadline::Never();
  std::vector<std::shared_ptr<DrainListener>> listeners_;
  std::vector<std::shared_ptr<DrainListener>> ended_listeners_;  // Told of the end, not released.
  absl::Status undrain_answer_;
};

}  // namespace voicebridge

// The drain of a process without I/O, threads or a clock: what has to be done when, and what became
// of each session. Both processes use it.
#pragma once

#include <absl/status/status.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "common/core/deadline.h"
#include "common/core/end_reason.h"
#include "common/core/time.h"
#include "common/drain/drain_command.h"
#include "common/drain/drain_plan.h"
#include "voicebridge/v1/drain.pb.h"

namespace voicebridge {

// --- what happens -------------------------------------------------------------------------------

struct DrainRequested {
  DrainCommand command;
};
struct UndrainRequested {};
// The answer to RefuseAdmission: the sessions that live now. None is added afterwards.
struct SessionsListed {
  std::vector<std::string> ids;
};
struct SessionLeft {
  std::string session_id;
  EndReason reason;
  std::vector<std::string> tasks_left;  // That ignored their cancellation.
};
// The answer to StopBackground. What could not be put back is named.
struct BackgroundStopped {
  std::vector<std::string> not_stored;
};
// The answer to SaveRecords.
struct RecordsSaved {
  std::vector<std::string> not_stored;
};
// The answers to DrainWorkers carry its round: first who was asked, then what each of them says.
struct WorkersCalled {
  std::vector<std::string> addresses;
  int round = 0;
};
struct WorkerDrained {
  std::string address;
  v1::DrainSummary summary;
  int round = 0;
};
struct WorkerUnreachable {
  std::string address;
  int round = 0;
};
struct TimePassed {};

using DrainEvent =
    std::variant<DrainRequested, UndrainRequested, SessionsListed, SessionLeft, BackgroundStopped,
                 RecordsSaved, WorkersCalled, WorkerDrained, WorkerUnreachable, TimePassed>;

// --- what has to be done, in order ---------------------------------------------------------------

// No new session, tool or background task from now on; readiness says so. Answered by
// SessionsListed.
struct RefuseAdmission {};
// To every session: it goes on, and has to be over by the deadline.
struct AnnounceDrain {
  Deadline deadline;
};
// From now on the process is gone by the deadline, whatever happens.
struct ArmWatchdog {
  Deadline deadline;
};
// Every worker is asked to drain within the budget. A later round joins them to what has become of
// the drain since: less time, or an exit.
struct DrainWorkers {
  DrainMode mode;
  bool exit;
  Duration budget;
  int round = 0;
};
// Running background work is cancelled and put back. Answered by BackgroundStopped.
struct StopBackground {
  Deadline deadline;
};
// Every session is told and closed.
struct EndSessions {
  Deadline deadline;
};
// What is left of them is cut off.
struct ForceSessions {};
// What sessions and background work leave is written. Answered by RecordsSaved.
struct SaveRecords {
  Deadline deadline;
};
// Back to serving.
struct AdmitAgain {};
struct AnswerUndrain {
  absl::Status status;
};
// The drain is over; `summary()` is final. With `exit` the process leaves now. `again`: it was over
// before, and somebody has asked once more.
struct Conclude {
  bool exit;
  bool again = false;
};

using DrainEffect =
    std::variant<RefuseAdmission, AnnounceDrain, ArmWatchdog, DrainWorkers, StopBackground,
                 EndSessions, ForceSessions, SaveRecords, AdmitAgain, AnswerUndrain, Conclude>;
using DrainEffects = std::vector<DrainEffect>;

enum class DrainPhase {
  kServing,
  kFinishing,  // Sessions may end by themselves.
  kClosing,    // They are told and closed, and background work is stopped.
  kForcing,    // What was left of that has been cut off.
  kDrained,    // The process stays, and refuses.
  kLeaving,    // It goes.
};

// Owned by the driver, used on one thread. Answers may be late or missing: the machine goes on at
// its deadlines, whatever comes. Nothing follows a Conclude with `exit`.
class DrainMachine {
 public:
  void Handle(const DrainEvent& event, TimePoint now, DrainEffects& effects);
  // When it wants TimePassed.
  std::optional<TimePoint> NextDeadline() const;

  DrainPhase phase() const { return phase_; }
  bool draining() const { return phase_ != DrainPhase::kServing; }
  bool exits() const { return exit_; }
  // It exits, and no undrain can help it.
  bool leaves() const { return exit_ && !MayUndrain(); }
  // As it is carried out.
  DrainMode mode() const { return mode_; }
  // Of the drain that is under way or over; none while serving.
  const std::optional<DrainPlan>& plan() const { return plan_; }
  std::size_t sessions_total() const { return sessions_.size(); }
  std::size_t sessions_left() const { return sessions_left_; }

  // What became of each session: forced if any process says so. `took` is the driver's to fill in.
  v1::DrainSummary Summary() const;
  // Whether something was left: the exit code's question.
  bool WasForced() const;
  // SaveRecords has not been answered.
  bool awaits_records() const { return saving_ && !saved_; }

 private:
  // In rising order: the worst wins where several parties say something of one session.
  enum class Outcome { kOpen, kHandedOver, kFinished, kStored, kForced };
  struct Session {
    Outcome outcome = Outcome::kOpen;
    bool left = false;
  };

  void On(const DrainRequested& event, TimePoint now, DrainEffects& effects);
  void On(const UndrainRequested& event, TimePoint now, DrainEffects& effects);
  void On(const SessionsListed& event, TimePoint now, DrainEffects& effects);
  void On(const SessionLeft& event, TimePoint now, DrainEffects& effects);
  void On(const BackgroundStopped& event, TimePoint now, DrainEffects& effects);
  void On(const RecordsSaved& event, TimePoint now, DrainEffects& effects);
  void On(const WorkersCalled& event, TimePoint now, DrainEffects& effects);
  void On(const WorkerDrained& event, TimePoint now, DrainEffects& effects);
  void On(const WorkerUnreachable& event, TimePoint now, DrainEffects& effects);
  void On(const TimePassed& event, TimePoint now, DrainEffects& effects);

  void Begin(const DrainCommand& command, TimePoint now, DrainEffects& effects);
  void Join(const DrainCommand& command, TimePoint now, DrainEffects& effects);
  void CallWorkers(TimePoint now, DrainEffects& effects);
  void NoteFleet(const DrainCommand& command);
  void Close(TimePoint now, DrainEffects& effects);
  void Force(DrainEffects& effects);
  // Takes every step that is due.
  void Advance(TimePoint now, DrainEffects& effects);
  bool MayUndrain() const;
  bool SessionsGone() const { return listed_ && sessions_left_ == 0; }
  bool WorkersGone() const { return !fleet_ || (workers_called_ && workers_left_.empty()); }
  void Note(const std::string& session_id, Outcome outcome);
  void NoteAll(const google::protobuf::RepeatedPtrField<std::string>& ids, Outcome outcome);
  void NoteForced(const std::vector<std::string>& not_stored);

  DrainPhase phase_ = DrainPhase::kServing;
  std::optional<DrainPlan> plan_;
  DrainMode requested_mode_ = v1::DrainRequest::CLOSE;
  DrainMode mode_ = v1::DrainRequest::CLOSE;
  bool exit_ = false;
  bool by_signal_ = false;
  Deadline force_at_ = Deadline::Never();

  bool listed_ = false;
  // Of this process, and in a fleet drain those that workers hold for others.
  std::map<std::string, Session> sessions_;
  std::size_t sessions_left_ = 0;
  bool background_stopped_ = false;
  bool saving_ = false;
  bool saved_ = false;
  std::vector<std::string> not_stored_;
  std::vector<std::string> tasks_left_;

  struct Losses {
    std::vector<std::string> not_stored;
    std::vector<std::string> tasks_left;
  };

  bool fleet_ = false;
  bool workers_exit_ = false;
  int round_ = -1;       // Of the last DrainWorkers.
  int first_round_ = 0;  // Of this drain; those before belong to one that was undone.
  bool workers_called_ = false;
  std::set<std::string> workers_left_;
  std::set<std::string> unreachable_;
  std::map<std::string, Losses> losses_of_workers_;  // As each has said last.
};

}  // namespace voicebridge

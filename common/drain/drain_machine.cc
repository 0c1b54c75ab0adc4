#include "common/drain/drain_machine.h"

#include <algorithm>
#include <utility>

#include "common/core/status.h"

namespace voicebridge {
namespace {

void Append(const std::vector<std::string>& from, std::vector<std::string>& to) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

void DrainMachine::Handle(const DrainEvent& event, TimePoint now, DrainEffects& effects) {
  if (phase_ == DrainPhase::kLeaving) {
    return;
  }
  std::visit([&](const auto& concrete) { On(concrete, now, effects); }, event);
  Advance(now, effects);
}

std::optional<TimePoint> DrainMachine::NextDeadline() const {
  switch (phase_) {
    case DrainPhase::kFinishing:
      return plan_->settle().when();
    case DrainPhase::kClosing:
      return force_at_.EarlierOf(plan_->flush()).when();
    case DrainPhase::kForcing:
      return plan_->flush().when();
    case DrainPhase::kServing:
    case DrainPhase::kDrained:
    case DrainPhase::kLeaving:
      return std::nullopt;
  }
  return std::nullopt;
}

// --- what is asked for --------------------------------------------------------------------------

void DrainMachine::On(const DrainRequested& event, TimePoint now, DrainEffects& effects) {
  const DrainCommand& command = event.command;
  if (phase_ == DrainPhase::kServing) {
    return Begin(command, now, effects);
  }
  if (phase_ != DrainPhase::kDrained) {
    return Join(command, now, effects);
  }
  by_signal_ = by_signal_ || command.signal != 0;
  if (!command.exit && !(command.fleet && !fleet_)) {
    effects.emplace_back(Conclude{false, true});
    return;
  }
  plan_ = DrainPlan::From(now, command.budget);
  exit_ = command.exit;
  if (exit_) {
    effects.emplace_back(ArmWatchdog{plan_->watchdog()});
  }
  if (command.fleet) {
    NoteFleet(command);
    CallWorkers(now, effects);
  }
  Close(now, effects);
}

void DrainMachine::Begin(const DrainCommand& command, TimePoint now, DrainEffects& effects) {
  plan_ = DrainPlan::From(now, command.budget);
  requested_mode_ = command.mode;
  // No session can move to another worker yet: they are closed, and the summary says so.
  mode_ = command.mode == v1::DrainRequest::HANDOVER ? v1::DrainRequest::CLOSE : command.mode;
  exit_ = command.exit;
  by_signal_ = command.signal != 0;
  effects.emplace_back(RefuseAdmission{});
  if (exit_) {
    effects.emplace_back(ArmWatchdog{plan_->watchdog()});
  }
  if (command.fleet) {
    NoteFleet(command);
    CallWorkers(now, effects);
  }
  if (mode_ == v1::DrainRequest::FINISH) {
    phase_ = DrainPhase::kFinishing;
    effects.emplace_back(AnnounceDrain{plan_->settle()});
  } else {
    Close(now, effects);
  }
}

// It may only get shorter, larger in scope, and end with the process's exit.
void DrainMachine::Join(const DrainCommand& command, TimePoint now, DrainEffects& effects) {
  const Deadline end = Deadline::After(now, command.budget);
  const bool shorter = end < plan_->end();
  by_signal_ = by_signal_ || command.signal != 0;
  if (shorter) {
    plan_ = plan_->ShortenedTo(end);
    force_at_ = force_at_.EarlierOf(plan_->force());
  }
  if (command.exit && (shorter || !exit_)) {
    exit_ = true;
    effects.emplace_back(ArmWatchdog{plan_->watchdog()});
  }
  const bool wider = command.fleet && (!fleet_ || (command.exit && !workers_exit_));
  if (command.fleet) {
    NoteFleet(command);
  }
  if (wider || (fleet_ && shorter)) {
    CallWorkers(now, effects);
  }
  if (shorter && phase_ == DrainPhase::kFinishing) {
    effects.emplace_back(AnnounceDrain{plan_->settle()});
  }
}

void DrainMachine::NoteFleet(const DrainCommand& command) {
  fleet_ = true;
  workers_exit_ = workers_exit_ || command.exit;
}

// Late in a drain they get more time than is left: less they would refuse.
void DrainMachine::CallWorkers(TimePoint now, DrainEffects& effects) {
  workers_called_ = false;
  ++round_;
  const Duration left = plan_->end().KeepingBack(DrainPlan::kNetworkReserve).Remaining(now);
  effects.emplace_back(
      DrainWorkers{mode_, workers_exit_, std::max(left, DrainPlan::kTotalMin), round_});
}

void DrainMachine::On(const UndrainRequested&, TimePoint, DrainEffects& effects) {
  if (phase_ == DrainPhase::kServing) {
    effects.emplace_back(AnswerUndrain{absl::OkStatus()});
    return;
  }
  if (!MayUndrain()) {
    effects.emplace_back(AnswerUndrain{MakeStatus(
        absl::StatusCode::kFailedPrecondition, "{}",
        by_signal_ ? "a signal has told the process to end" : "the drain has closed sessions")});
    return;
  }
  const int next_round = round_ + 1;
  *this = DrainMachine();
  first_round_ = next_round;
  round_ = next_round - 1;
  effects.emplace_back(AdmitAgain{});
  effects.emplace_back(AnswerUndrain{absl::OkStatus()});
}

bool DrainMachine::MayUndrain() const {
  if (by_signal_ || (phase_ != DrainPhase::kFinishing && phase_ != DrainPhase::kDrained)) {
    return false;
  }
  return std::all_of(sessions_.begin(), sessions_.end(),
                     [](const auto& entry) { return entry.second.outcome < Outcome::kStored; });
}

// --- what comes back ----------------------------------------------------------------------------

void DrainMachine::On(const SessionsListed& event, TimePoint, DrainEffects&) {
  if (!draining() || listed_) {
    return;
  }
  listed_ = true;
  for (const std::string& id : event.ids) {
    sessions_[id].left = false;
  }
  sessions_left_ = event.ids.size();
}

void DrainMachine::On(const SessionLeft& event, TimePoint, DrainEffects&) {
  const auto found = sessions_.find(event.session_id);
  if (found == sessions_.end() || found->second.left) {
    return;  // It had left before the drain began.
  }
  found->second.left = true;
  --sessions_left_;
  Append(event.tasks_left, tasks_left_);
  const bool closed_by_us = event.reason == v1::END_REASON_DRAINING;
  Note(event.session_id, !event.tasks_left.empty() ? Outcome::kForced
                         : closed_by_us            ? Outcome::kStored
                                                   : Outcome::kFinished);
}

void DrainMachine::On(const BackgroundStopped& event, TimePoint, DrainEffects&) {
  background_stopped_ = true;
  Append(event.not_stored, not_stored_);
  NoteForced(event.not_stored);
}

void DrainMachine::On(const RecordsSaved& event, TimePoint, DrainEffects&) {
  if (awaits_records()) {
    saved_ = true;
    Append(event.not_stored, not_stored_);
    NoteForced(event.not_stored);
  }
}

void DrainMachine::On(const WorkersCalled& event, TimePoint, DrainEffects&) {
  if (event.round != round_) {
    return;
  }
  workers_called_ = true;
  workers_left_ = {event.addresses.begin(), event.addresses.end()};
  unreachable_.clear();
}

// What it says is true of any round of this drain; that it is done, only of the last.
void DrainMachine::On(const WorkerDrained& event, TimePoint, DrainEffects&) {
  if (event.round < first_round_) {
    return;  // Undraining a gateway does not undrain its workers: they end what was undone here.
  }
  if (event.round == round_) {
    workers_left_.erase(event.address);
  }
  const v1::DrainSummary& summary = event.summary;
  NoteAll(summary.handed_over(), Outcome::kHandedOver);
  NoteAll(summary.finished(), Outcome::kFinished);
  NoteAll(summary.stored(), Outcome::kStored);
  NoteAll(summary.forced(), Outcome::kForced);
  Losses& losses = losses_of_workers_[event.address];
  losses.not_stored = {summary.not_stored().begin(), summary.not_stored().end()};
  losses.tasks_left = {summary.tasks_left().begin(), summary.tasks_left().end()};
  NoteForced(losses.not_stored);
}

void DrainMachine::On(const WorkerUnreachable& event, TimePoint, DrainEffects&) {
  if (event.round == round_ && workers_left_.erase(event.address) > 0) {
    unreachable_.insert(event.address);
  }
}

void DrainMachine::On(const TimePassed&, TimePoint, DrainEffects&) {}

// --- the steps ----------------------------------------------------------------------------------

void DrainMachine::Advance(TimePoint now, DrainEffects& effects) {
  if (phase_ == DrainPhase::kFinishing && (SessionsGone() || plan_->settle().HasPassed(now))) {
    Close(now, effects);
  }
  if (phase_ == DrainPhase::kClosing && force_at_.HasPassed(now)) {
    Force(effects);
  }
  const bool closing = phase_ == DrainPhase::kClosing || phase_ == DrainPhase::kForcing;
  if (!closing) {
    return;
  }
  const bool settled = SessionsGone() && background_stopped_;
  if (!saving_ && (settled || phase_ == DrainPhase::kForcing)) {
    saving_ = true;
    effects.emplace_back(SaveRecords{plan_->flush()});
  }
  if ((settled && saved_ && WorkersGone()) || plan_->flush().HasPassed(now)) {
    unreachable_.merge(workers_left_);
    workers_left_.clear();
    phase_ = exit_ ? DrainPhase::kLeaving : DrainPhase::kDrained;
    effects.emplace_back(Conclude{exit_});
  }
}

void DrainMachine::Close(TimePoint now, DrainEffects& effects) {
  phase_ = DrainPhase::kClosing;
  background_stopped_ = false;
  saving_ = false;
  saved_ = false;
  force_at_ = Deadline::After(now, DrainPlan::kBackgroundMax + DrainPlan::kSessionMax)
                  .EarlierOf(plan_->force());
  effects.emplace_back(
      StopBackground{Deadline::After(now, DrainPlan::kBackgroundMax).EarlierOf(plan_->force())});
  effects.emplace_back(EndSessions{force_at_});
}

void DrainMachine::Force(DrainEffects& effects) {
  phase_ = DrainPhase::kForcing;
  for (auto& [id, session] : sessions_) {
    if (!session.left) {
      session.outcome = Outcome::kForced;
    }
  }
  if (!listed_) {
    // Whatever should have told of them is stuck, and they are still there with it.
    tasks_left_.emplace_back("list of sessions");
  }
  effects.emplace_back(ForceSessions{});
}

// --- what became of it --------------------------------------------------------------------------

void DrainMachine::Note(const std::string& session_id, Outcome outcome) {
  Session& session = sessions_[session_id];
  session.outcome = std::max(session.outcome, outcome);
}

// A session that only a worker has told of is none of ours to wait for.
void DrainMachine::NoteAll(const google::protobuf::RepeatedPtrField<std::string>& ids,
                           Outcome outcome) {
  for (const std::string& id : ids) {
    if (const auto [entry, is_new] = sessions_.try_emplace(id); is_new) {
      entry->second.left = true;
    }
    Note(id, outcome);
  }
}

// Names of sessions and of assessments: a session that has lost a record was forced.
void DrainMachine::NoteForced(const std::vector<std::string>& not_stored) {
  for (const std::string& name : not_stored) {
    if (sessions_.contains(name)) {
      Note(name, Outcome::kForced);
    }
  }
}

v1::DrainSummary DrainMachine::Summary() const {
  v1::DrainSummary summary;
  for (const auto& [id, session] : sessions_) {
    switch (session.outcome) {
      case Outcome::kHandedOver:
        summary.add_handed_over(id);
        break;
      case Outcome::kFinished:
        summary.add_finished(id);
        break;
      case Outcome::kStored:
        summary.add_stored(id);
        break;
      case Outcome::kOpen:
      case Outcome::kForced:
        summary.add_forced(id);
        break;
    }
  }
  for (const std::string& address : unreachable_) {
    summary.add_unreachable(address);
  }
  summary.mutable_not_stored()->Add(not_stored_.begin(), not_stored_.end());
  summary.mutable_tasks_left()->Add(tasks_left_.begin(), tasks_left_.end());
  for (const auto& [address, losses] : losses_of_workers_) {
    summary.mutable_not_stored()->Add(losses.not_stored.begin(), losses.not_stored.end());
    summary.mutable_tasks_left()->Add(losses.tasks_left.begin(), losses.tasks_left.end());
  }
  summary.set_mode(mode_);
  summary.set_handover_fell_back(requested_mode_ == v1::DrainRequest::HANDOVER &&
                                 !sessions_.empty());
  return summary;
}

bool DrainMachine::WasForced() const {
  const bool any_session = std::any_of(sessions_.begin(), sessions_.end(), [](const auto& entry) {
    return entry.second.outcome == Outcome::kForced || entry.second.outcome == Outcome::kOpen;
  });
  const bool any_loss =
      std::any_of(losses_of_workers_.begin(), losses_of_workers_.end(), [](const auto& entry) {
        return !entry.second.not_stored.empty() || !entry.second.tasks_left.empty();
      });
  return any_session || any_loss || !unreachable_.empty() || !not_stored_.empty() ||
         !tasks_left_.empty();
}

}  // namespace voicebridge

#include "common/drain/drain_coordinator.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "common/async/clock.h"
#include "common/core/status.h"
#include "common/rpc/wire_time.h"

namespace voicebridge {
namespace {

constexpr std::size_t kListenersMax = 64;
constexpr Duration kProgressInterval = milliseconds(100);
// After everything is flushed, for the last message of a call; the watchdog comes later still.
constexpr Duration kDeliveryMax = milliseconds(50);

void Remove(const DrainListener* listener, std::vector<std::shared_ptr<DrainListener>>& from) {
  std::erase_if(from, [&](const auto& each) { return each.get() == listener; });
}

double Milliseconds(Duration duration) { return ToSeconds(duration) * 1000; }

}  // namespace

DrainCoordinator::DrainCoordinator(DrainRole role, Duration budget, Watchdog& watchdog,
                                   DrainState& state, Logger& logger)
    : role_(role), budget_(budget), watchdog_(watchdog), state_(state), logger_(logger) {}

TimePoint DrainCoordinator::Now() const { return SystemClock().Now(); }

// --- from any thread ----------------------------------------------------------------------------

absl::StatusOr<DrainCommand> DrainCoordinator::Check(const v1::DrainRequest& request,
                                                     const Duration* budget) const {
  return CheckDrain(request, budget == nullptr ? budget_ : *budget, role_);
}

void DrainCoordinator::Drain(DrainCommand command, std::shared_ptr<DrainListener> listener) {
  inbox_.Push(DrainAsked{std::move(command), std::move(listener)});
}

void DrainCoordinator::Release(const DrainListener* listener) {
  inbox_.Push(ListenerReleased{listener});
}

void DrainCoordinator::Undrain(std::function<void(absl::Status)> done) {
  inbox_.Push(UndrainAsked{std::move(done)});
}

// --- the loop -----------------------------------------------------------------------------------

DrainCoordinator::End DrainCoordinator::Run(DrainedProcess& process) {
  process_ = &process;
  while (machine_.phase() != DrainPhase::kLeaving) {
    WaitForNews();
    TakeSignal();
    for (DrainNews& news : inbox_.Take()) {
      TakeNews(news);
    }
    const std::optional<TimePoint> due = machine_.NextDeadline();
    if (due && Now() >= *due) {
      if (machine_.awaits_records() && machine_.plan()->flush().HasPassed(Now())) {
        Handle(RecordsSaved{process_->Unsaved()});
      }
      Handle(TimePassed{});
    }
    if (next_progress_.HasPassed(Now())) {
      Publish();
    }
  }
  WaitForListeners();
  return {*machine_.plan(), machine_.WasForced()};
}

void DrainCoordinator::WaitForNews() {
  Deadline until = next_progress_;
  if (const std::optional<TimePoint> due = machine_.NextDeadline()) {
    until = until.EarlierOf(Deadline::At(*due));
  }
  inbox_.Wait(signal_taken_ ? -1 : watchdog_.signal_fd(), until);
}

void DrainCoordinator::TakeSignal() {
  if (signal_taken_ || watchdog_.signal() == 0) {
    return;
  }
  signal_taken_ = true;
  Handle(DrainRequested{DrainBySignal(watchdog_.signal(), budget_)});
}

void DrainCoordinator::TakeNews(DrainNews& news) {
  if (auto* event = std::get_if<DrainEvent>(&news)) {
    Handle(*event);
  } else if (auto* asked = std::get_if<DrainAsked>(&news)) {
    if (listeners_.size() + ended_listeners_.size() >= kListenersMax) {
      asked->listener->OnEnd(MakeStatus(absl::StatusCode::kResourceExhausted,
                                        "{} calls watch this drain already", kListenersMax));
      return;
    }
    listeners_.push_back(std::move(asked->listener));
    next_progress_ = Deadline::At(Now());
    Handle(DrainRequested{std::move(asked->command)});
  } else if (auto* undrain = std::get_if<UndrainAsked>(&news)) {
    Handle(UndrainRequested{});
    undrain->done(undrain_answer_);
  } else {
    const DrainListener* released = std::get<ListenerReleased>(news).listener;
    Remove(released, listeners_);
    Remove(released, ended_listeners_);
  }
}

void DrainCoordinator::Handle(const DrainEvent& event) {
  const DrainPhase before = machine_.phase();
  const bool exited_before = machine_.exits();
  const bool left_before = machine_.leaves();
  DrainEffects effects;
  machine_.Handle(event, Now(), effects);
  if (machine_.NextDeadline()) {
    state_.SetEnd(machine_.plan()->end().when());
  }
  if (const auto* request = std::get_if<DrainRequested>(&event)) {
    LogRequest(request->command, before, exited_before);
  }
  for (const DrainEffect& effect : effects) {
    std::visit([this](const auto& wanted) { Perform(wanted); }, effect);
  }
  if (machine_.leaves() && !left_before) {
    process_->AnnounceExit(machine_.plan()->end());
  }
}

// --- what the machine wants done ----------------------------------------------------------------

void DrainCoordinator::Perform(const RefuseAdmission&) {
  state_.Begin();
  process_->RefuseAdmission();
}

void DrainCoordinator::Perform(const AnnounceDrain& wanted) {
  process_->AnnounceDrain(wanted.deadline);
}

void DrainCoordinator::Perform(const ArmWatchdog& wanted) { watchdog_.Arm(wanted.deadline); }

void DrainCoordinator::Perform(const DrainWorkers& wanted) { process_->CallWorkers(wanted); }

void DrainCoordinator::Perform(const StopBackground& wanted) {
  LogShutdown(ShutdownStep::kWaiting);
  process_->StopBackground(wanted.deadline);
}

void DrainCoordinator::Perform(const EndSessions& wanted) {
  process_->EndSessions(wanted.deadline);
}

void DrainCoordinator::Perform(const ForceSessions&) { process_->ForceSessions(); }

void DrainCoordinator::Perform(const SaveRecords& wanted) {
  LogShutdown(ShutdownStep::kStore);
  if (machine_.sessions_left() > 0) {
    logger_.Warning("store.shutdown.forced", {{"count", machine_.sessions_left()}});
  }
  process_->SaveRecords(wanted.deadline);
}

void DrainCoordinator::Perform(const AdmitAgain&) {
  watchdog_.Disarm();
  state_.Undo();
  counted_ = false;
  logged_step_ = ShutdownStep::kNone;
  process_->AdmitAgain();
  logger_.Info("drain.undone", {});
  next_progress_ = Deadline::Never();
  EndListeners(absl::AbortedError("the drain was undone"));
}

void DrainCoordinator::Perform(const AnswerUndrain& wanted) { undrain_answer_ = wanted.status; }

void DrainCoordinator::Perform(const Conclude& wanted) {
  v1::DrainSummary summary = machine_.Summary();
  if (!wanted.again) {
    took_ = Now() - machine_.plan()->start();
    state_.SetTook(took_);
    state_.SetEnd(Now());
  }
  *summary.mutable_took() = ToWire(took_);
  if (!wanted.again) {
    LogEnd(summary);
  }
  if (!std::exchange(counted_, true)) {
    state_.Count(summary.stored_size(), summary.forced_size());
  }
  v1::DrainProgress last = Progress();
  *last.mutable_summary() = std::move(summary);
  for (const auto& listener : listeners_) {
    listener->OnProgress(last);
  }
  next_progress_ = Deadline::Never();
  EndListeners(absl::OkStatus());
}

// --- who watches --------------------------------------------------------------------------------

v1::DrainProgress DrainCoordinator::Progress() const {
  v1::DrainProgress progress;
  progress.set_sessions_left(static_cast<std::uint32_t>(machine_.sessions_left()));
  progress.set_sessions_total(static_cast<std::uint32_t>(machine_.sessions_total()));
  progress.set_tasks_left(static_cast<std::uint32_t>(process_->live_tasks()));
  progress.set_mode(machine_.mode());
  *progress.mutable_time_left() = ToWire(state_.TimeLeft(Now()));
  return progress;
}

void DrainCoordinator::Publish() {
  next_progress_ =
      listeners_.empty() ? Deadline::Never() : Deadline::After(Now(), kProgressInterval);
  for (const auto& listener : listeners_) {
    listener->OnProgress(Progress());
  }
}

void DrainCoordinator::EndListeners(const absl::Status& status) {
  for (auto& listener : listeners_) {
    listener->OnEnd(status);
    ended_listeners_.push_back(std::move(listener));
  }
  listeners_.clear();
}

// The summary is on its way before the servers go.
void DrainCoordinator::WaitForListeners() {
  const Deadline deadline = Deadline::At(machine_.plan()->flush().when() + kDeliveryMax);
  while (!ended_listeners_.empty() && !deadline.HasPassed(Now())) {
    inbox_.Wait(-1, deadline);
    for (DrainNews& news : inbox_.Take()) {
      if (const auto* released = std::get_if<ListenerReleased>(&news)) {
        Remove(released->listener, ended_listeners_);
      } else if (auto* asked = std::get_if<DrainAsked>(&news)) {
        asked->listener->OnEnd(Unavailable("the process is leaving"));
      } else if (auto* undrain = std::get_if<UndrainAsked>(&news)) {
        undrain->done(absl::FailedPreconditionError("the process is leaving"));
      }
    }
  }
}

// --- what is said -------------------------------------------------------------------------------

void DrainCoordinator::LogRequest(const DrainCommand& command, DrainPhase before,
                                  bool exited_before) {
  const char* event = before == DrainPhase::kServing ? "drain.begin" : "drain.joined";
  logger_.Info(event, {{"mode", WordOf(command.mode)},
                       {"scope", command.fleet ? "fleet" : "self"},
                       {"then", command.exit ? "exit" : "stay"},
                       {"budget_ms", Milliseconds(command.budget)},
                       {"sessions", process_->live_sessions()},
                       {"reason", command.reason}});
  if (machine_.exits() && !exited_before) {
    logger_.Info("shutdown.begin",
                 {{"signal", command.signal},
                  {"sessions", process_->live_sessions()},
                  {"deadline_ms", Milliseconds(machine_.plan()->end().Remaining(Now()))}});
  }
}

// Of a process that exits: every step up to this one, once. It may have been asked to exit when
// some of them, or all, were behind it.
void DrainCoordinator::LogShutdown(ShutdownStep step) {
  if (!machine_.exits()) {
    return;
  }
  if (logged_step_ < ShutdownStep::kWaiting) {
    logger_.Info("shutdown.waiting", {{"tasks", process_->live_tasks()}});
  }
  if (logged_step_ < ShutdownStep::kStore && step == ShutdownStep::kStore) {
    logger_.Info("shutdown.app", {{"tasks", process_->live_tasks()}});
    logger_.Info("store.shutdown.begin", {{"count", machine_.sessions_total()}});
  }
  logged_step_ = std::max(logged_step_, step);
}

void DrainCoordinator::LogEnd(const v1::DrainSummary& summary) {
  const double ms = Milliseconds(took_);
  LogShutdown(ShutdownStep::kStore);
  if (machine_.exits()) {
    logger_.Info(
        "store.shutdown.end",
        {{"graceful", summary.handed_over_size() + summary.finished_size() + summary.stored_size()},
         {"forced", summary.forced_size()},
         {"ms", ms}});
  }
  logger_.Log(machine_.WasForced() ? LogLevel::kWarning : LogLevel::kInfo, "drain.end",
              {{"mode", WordOf(summary.mode())},
               {"handover_fell_back", summary.handover_fell_back()},
               {"handed_over", summary.handed_over_size()},
               {"finished", summary.finished_size()},
               {"stored", summary.stored_size()},
               {"forced", summary.forced_size()},
               {"unreachable", summary.unreachable_size()},
               {"not_stored", fmt::format("{}", fmt::join(summary.not_stored(), " "))},
               {"tasks_left", fmt::format("{}", fmt::join(summary.tasks_left(), " "))},
               {"ms", ms}});
}

}  // namespace voicebridge

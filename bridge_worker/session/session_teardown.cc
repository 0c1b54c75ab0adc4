// How a session ends: it is told to, everybody on it comes to an end, and it leaves.
#include <string>
#include <utility>

#include "bridge_worker/session/session_driver.h"
#include "common/observability/end_reason_level.h"
#include "common/observability/session_log.h"
#include "common/rpc/wire_time.h"
#include "common/runtime/session_index.h"

namespace voicebridge::worker {

// --- what others ask for
// --------------------------------------------------------------------------

std::shared_ptr<SessionHandle> SessionDriver::MakeHandle() {
  auto handle = std::make_shared<SessionHandle>();
  handle->session_id = session_id();
  handle->profile = request_.frame().profile();
  handle->epoch = epoch();
  handle->executor = executor_;
  handle->end = [this](EndReason reason, Deadline deadline) { End(reason, deadline); };
  handle->announce_drain = [this](Deadline deadline) { AnnounceDrain(deadline); };
  handle->force = [this] { Force(); };
  return handle;
}

void SessionDriver::End(EndReason reason, Deadline deadline) {
  const bool draining = reason == v1::END_REASON_DRAINING;
  if (draining && drain_deadline_.IsNever()) {
    AnnounceDrain(deadline);
  }
  RequestEnd(reason, draining ? "The worker is being drained." : "The session was ended.");
  teardown_.EndBy(deadline);
}

// Once per deadline that is earlier than the one that the gateway knows. It overtakes what is
// queued.
void SessionDriver::AnnounceDrain(Deadline deadline) {
  if (end_reason_ || deadline >= drain_deadline_) {
    return;
  }
  drain_deadline_ = deadline;
  v1::ToGateway frame;
  *frame.mutable_go_away()->mutable_time_left() = ToWire(deadline.Remaining(shard_.clock().Now()));
  const std::size_t bytes = frame.ByteSizeLong();
  gateway_queue_.PushControl(std::move(frame), bytes);
}

void SessionDriver::Force() {
  RequestEnd(v1::END_REASON_DRAINING, "The worker is being stopped.");
  teardown_.Force();
}

void SessionDriver::RequestEnd(EndReason reason, std::string message) {
  if (end_reason_) {
    return;
  }
  end_reason_ = reason;
  end_message_ = std::move(message);
  changed_.Notify();
}

// --- the end
// --------------------------------------------------------------------------------------

Awaitable<void> SessionDriver::TearDown() {
  if (!end_reason_) {
    Force();  // The task that runs this session was cancelled: the whole shard is being stopped.
  }
  meter_->Become(SessionState::kClosing);
  LogBegin();
  GiveAwayAssessment();
  TellEverybody();
  co_await teardown_.Run();
  LogCleanupEnd(logger_, session_id(), teardown_.took(), tasks_.Unfinished());
  environment_.assessments.Forget(session_id());
  if (record_ != nullptr) {
    record_->Close(TraitsOf(*end_reason_).word);
  }
  LogEnded();
}

void SessionDriver::LogBegin() {
  LogCleanupBegin(logger_, session_id(), tasks_.Unfinished().size());
  if (conversation_->sends_keepalives()) {
    logger_.Info("keepalive.stopped",
                 {{"session", session_id()}, {"reason", TraitsOf(*end_reason_).word}});
  }
}

// What was triggered is assessed, though not all that was said is known.
void SessionDriver::GiveAwayAssessment() {
  if (auto unsubmitted = conversation_->TakeUnsubmitted(shard_.clock().Now())) {
    Perform(*unsubmitted);
  }
}

// From here on nothing is sent any more but what the gateway's queue holds, and the closes.
void SessionDriver::TellEverybody() {
  timer_.Disarm();
  if (summary_ != nullptr) {
    summary_->Close();
  }
  if (*end_reason_ == v1::END_REASON_SLOW_CLIENT) {
    gateway_queue_.Discard();
    gateway_->Cancel();
  }
  v1::ToGateway last;
  if (detached_) {
    last.mutable_detached()->set_version(conversation_->snapshot().version());
  } else {
    last.mutable_ended()->set_reason(*end_reason_);
    last.mutable_ended()->set_message(end_message_);
  }
  SendGateway(std::move(last));
  gateway_queue_.Close();
  upstream_queue_.Discard();
  tasks_.Close();
}

void SessionDriver::CutOff() {
  if (upstream_ != nullptr) {
    upstream_->Abort();
  }
  if (summary_ != nullptr) {
    summary_->Abort();
  }
  gateway_->Cancel();
}

void SessionDriver::LogEnded() {
  environment_.metrics.sessions_ended.Count(*end_reason_);
  environment_.metrics.upstream_protocol_errors.Increment(
      static_cast<double>(conversation_->protocol_errors()));
  const SessionMeter::Traffic& up = meter_->traffic(Way::kUp);
  const SessionMeter::Traffic& down = meter_->traffic(Way::kDown);
  logger_.Log(LevelOf(*end_reason_), "session.ended",
              {{"session", session_id()},
               {"epoch", epoch()},
               {"reason", TraitsOf(*end_reason_).word},
               {"message", end_message_},
               {"profile", request_.frame().profile()},
               {"duration_s", ToSeconds(shard_.clock().Now() - started_)},
               {"ready_ms", ready_after_ ? ToSeconds(*ready_after_) * 1000 : -1.0},
               {"frames_to_upstream", up.frames},
               {"bytes_to_upstream", up.bytes},
               {"frames_to_gateway", down.frames},
               {"bytes_to_gateway", down.bytes},
               {"protocol_errors", conversation_->protocol_errors()},
               {"teardown_ms", ToSeconds(teardown_.took()) * 1000},
               {"tasks_left", tasks_.Unfinished().size()}});
}

Awaitable<void> SessionDriver::Leave() {
  handle_->end_reason = *end_reason_;
  for (const std::string_view task : tasks_.Unfinished()) {
    handle_->tasks_left.emplace_back(task);
  }
  handle_->end = nullptr;
  handle_->announce_drain = nullptr;
  handle_->force = nullptr;
  // In the log this comes before whatever the process does because the session has left.
  handle_->removed = [logger = logger_, id = session_id(), reason = *end_reason_,
                      took = teardown_.took()]() mutable { LogRemoved(logger, id, reason, took); };
  co_await environment_.index.Remove(handle_);
}

}  // namespace voicebridge::worker

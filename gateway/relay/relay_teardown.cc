// How a session ends at the gateway: it is told to, both sides come to an end, and it leaves.
#include <string>
#include <string_view>
#include <utility>

#include "common/core/limits.h"
#include "common/observability/end_reason_level.h"
#include "common/observability/session_log.h"
#include "common/rpc/wire_time.h"
#include "gateway/relay/relay_driver.h"

namespace voicebridge::gateway {
namespace {

constexpr std::size_t kDetachBytes = 128;

}  // namespace

void RelayDriver::MakeHandle() {
  handle_ = std::make_shared<SessionHandle>();
  handle_->session_id = session_id_;
  handle_->profile = profile_;
  handle_->epoch = 1;
  handle_->executor = executor_;
  handle_->end = [this](EndReason reason, Deadline deadline) {
    teardown_.EndBy(deadline);
    Feed(EndRequested{reason, deadline.Remaining(shard_.clock().Now())});
  };
  handle_->announce_drain = [this](Deadline deadline) {
    Feed(DrainAnnounced{deadline.Remaining(shard_.clock().Now())});
  };
  handle_->force = [this] {
    teardown_.Force();
    Feed(EndRequested{v1::END_REASON_DRAINING, Duration::zero()});
  };
}

// Client first: it is told what is queued for it, then its socket is closed by the one that writes
// it. The worker is let go at the same time.
Awaitable<void> RelayDriver::TearDown() {
  meter_->Become(SessionState::kClosing);
  LogCleanupBegin(logger_, session_id_, tasks_.Unfinished().size());
  attach_guard_.Disarm();
  attaching_.reset();
  session_guard_.Disarm();
  LetWorkerGo(*end_reason_);
  if (*end_reason_ == v1::END_REASON_SLOW_CLIENT) {
    client_queue_.RemoveIf(
        [](const ClientFrame& frame) { return std::holds_alternative<v1::ServerAudio>(frame); });
  }
  client_queue_.Close();
  tasks_.Close();
  co_await teardown_.Run();
  LogCleanupEnd(logger_, session_id_, teardown_.took(), tasks_.Unfinished());
  environment_.metrics.sessions_ended.Count(*end_reason_);
  LogEnded();
}

void RelayDriver::LogEnded() {
  const SessionMeter::Traffic& up = meter_->traffic(Way::kUp);
  const SessionMeter::Traffic& down = meter_->traffic(Way::kDown);
  logger_.Log(LevelOf(*end_reason_), "session.ended",
              {{"session", session_id_},
               {"reason", TraitsOf(*end_reason_).word},
               {"code", TraitsOf(*end_reason_).close_code},
               {"profile", profile_},
               {"worker", tried_workers_.empty() ? std::string() : tried_workers_.back()},
               {"workers_tried", tried_workers_.size()},
               {"duration_s", ToSeconds(shard_.clock().Now() - started_)},
               {"ready_ms", ready_after_ ? ToSeconds(*ready_after_) * 1000 : -1.0},
               {"frames_from_client", up.frames},
               {"bytes_from_client", up.bytes},
               {"frames_to_client", down.frames},
               {"bytes_to_client", down.bytes},
               {"teardown_ms", ToSeconds(teardown_.took()) * 1000},
               {"stale_frames", relay_.stale_frames()},
               {"tasks_left", tasks_.Unfinished().size()}});
}

void RelayDriver::LetWorkerGo(EndReason reason) {
  worker_queue_.RemoveIf([](const v1::ToWorker&) { return true; });
  if (worker_ == nullptr) {
    return;
  }
  if (!worker_writing_) {
    worker_->Cancel();  // Still attaching: there is nothing to let go politely.
    return;
  }
  v1::ToWorker detach;
  detach.mutable_detach()->set_reason(reason);
  *detach.mutable_detach()->mutable_time_left() = ToWire(limits::kCloseMax);
  worker_queue_.PushControl(std::move(detach), kDetachBytes);
  worker_queue_.Close();
}

void RelayDriver::CutOff() {
  client_->Abort();
  if (worker_ != nullptr) {
    worker_->Cancel();
  }
}

Awaitable<void> RelayDriver::Leave() {
  handle_->end_reason = *end_reason_;
  for (const std::string_view task : tasks_.Unfinished()) {
    handle_->tasks_left.emplace_back(task);
  }
  handle_->end = nullptr;
  handle_->announce_drain = nullptr;
  handle_->force = nullptr;
  // In the log this comes before whatever the process does because the session has left.
  handle_->removed = [this, logger = logger_, id = session_id_, reason = *end_reason_,
                      took = teardown_.took()]() mutable {
    place_.reset();  // Whoever sees that it has left finds room for another.
    LogRemoved(logger, id, reason, took);
  };
  co_await environment_.index.Remove(handle_);
}

}  // namespace voicebridge::gateway

// One client's session, from the accepted WebSocket to its end.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/async/deadline_guard.h"
#include "common/async/event.h"
#include "common/async/mailbox.h"
#include "common/async/one_at_a_time.h"
#include "common/async/task_group.h"
#include "common/async/teardown.h"
#include "common/core/answer_timer.h"
#include "common/core/latency_probe.h"
#include "common/core/shard_meter.h"
#include "common/core/token_bucket.h"
#include "common/http/http_server.h"
#include "common/observability/log.h"
#include "common/observability/trace_logger.h"
#include "common/runtime/session_index.h"
#include "common/runtime/shard.h"
#include "common/websocket/connection.h"
#include "gateway/gateway_metrics.h"
#include "gateway/relay/session_relay.h"
#include "gateway/workers/worker_link.h"
#include "gateway/workers/worker_watch.h"

namespace voicebridge::gateway {

// What all sessions share; owned by the gateway, outlives them.
struct RelayEnvironment {
  Logger& logger;
  GatewayMetrics& metrics;
  GatewayGauges& gauges;
  const WorkerLinks& links;
  const WorkerWatch& workers;
  SessionIndex& index;
  TaskGroup::OnFailure on_task_failure;
  Rate message_rate;  // Of one client.
};

// Moves frames between a browser's socket and a worker's call for a SessionRelay; decides nothing
// but which worker is tried next. Owned by the coroutine that runs it, on its shard.
class RelayDriver {
 public:
  // `place` is given back when the session has left the index, or was not let into it.
  RelayDriver(RelayEnvironment& environment, Shard& shard, RelayConfig config,
              std::unique_ptr<Connection> client, std::unique_ptr<Ticket> place);

  // The whole life; every wait in it is bounded or ends with the session.
  Awaitable<void> Run();

  // False after a Run whose teardown had to give a task up: that task still uses this object, which
  // must then never be destroyed.
  bool finished() const { return tasks_.empty(); }

 private:
  using ClientFrame = std::variant<std::string, v1::ServerAudio>;

  Awaitable<bool> Enter();
  Awaitable<void> WaitUntilEnded();

  // relay_teardown.cc
  void MakeHandle();
  Awaitable<void> TearDown();
  void CutOff();
  Awaitable<void> Leave();
  void LetWorkerGo(EndReason reason);
  void LogEnded();

  Awaitable<void> ReadClient();
  Awaitable<void> PauseForRate(Duration wait);
  Awaitable<void> PauseForClient(Deadline limit);
  Awaitable<void> WriteClient();
  Awaitable<bool> WriteClientFrames();
  Awaitable<bool> WriteClientFrame(const ClientFrame& frame, std::string& buffer);
  Awaitable<absl::Status> WriteClientAudio(const v1::ServerAudio& audio, std::string& buffer);

  // relay_attachment.cc
  Awaitable<void> RunAttachment(v1::Attach attach);
  Deadline AttachLimit(const WorkerViews& workers, std::uint64_t random) const;
  Awaitable<absl::Status> OpenAttachment(v1::Attach attach, const std::string& address,
                                         std::shared_ptr<WorkerStream> stream);
  Awaitable<void> ReadWorker(std::uint64_t epoch, std::shared_ptr<WorkerStream> stream);
  Awaitable<void> WriteWorker(std::shared_ptr<WorkerStream> stream);
  void OnAttachExpired();

  // relay_observation.cc
  void ObserveClientEvent(const v1::ClientEvent& event);
  void ObserveServerEvent(const v1::ServerEvent& event);
  void ObserveWritten(std::uint64_t number);
  void ObserveWritten(const v1::ServerAudio& audio);

  void Feed(RelayEvent event);
  void Handle(RelayEvent event);
  void Perform(RelayEffect& effect);
  void OnEnd(EndReason reason);

  RelayEnvironment& environment_;
  TraceLogger logger_;
  const std::string traceparent_;  // As the worker is sent it.
  Shard& shard_;
  net::any_io_executor executor_;
  const std::string session_id_;
  const std::string profile_;
  const AudioFraming audio_framing_;
  std::unique_ptr<Connection> client_;
  std::unique_ptr<Ticket> place_;
  TokenBucket messages_;
  bool slowed_ = false;  // The client has sent faster than it may.
  SessionRelay relay_;
  OneAtATime<RelayEvent> events_;
  RelayEffects effects_;
  std::shared_ptr<SessionHandle> handle_;
  std::shared_ptr<WorkerStream> worker_;  // Of the current epoch, once opened.
  std::vector<std::string> tried_workers_;
  std::optional<UnansweredAttaches::Place> attaching_;  // Until the worker has answered.
  Mailbox<ClientFrame> client_queue_;
  Mailbox<v1::ToWorker> worker_queue_;
  Event ended_;
  std::optional<EndReason> end_reason_;
  std::optional<std::uint16_t> client_close_code_;  // Of whoever closed first.
  bool worker_writing_ = false;
  // From Enter to TearDown.
  std::optional<SessionMeter> meter_;
  LatencyProbe probe_up_;
  LatencyProbe probe_down_;
  AnswerTimer answer_;
  std::optional<Duration> ready_after_;
  TimePoint started_;
  Deadline handshake_;
  DeadlineGuard attach_guard_;   // Of the worker that is being tried.
  DeadlineGuard session_guard_;  // Of the session, where its client secret limits it.
  Teardown teardown_;
  TaskGroup tasks_;
};

}  // namespace voicebridge::gateway

// One attachment of a gateway to a session, from the accepted call to its end.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "bridge_worker/conversation/conversation.h"
#include "bridge_worker/session/attach_request.h"
#include "bridge_worker/session/session_environment.h"
#include "bridge_worker/session/session_record.h"
#include "bridge_worker/session/summary_link.h"
#include "bridge_worker/upstream/realtime_connection.h"
#include "common/async/deadline_guard.h"
#include "common/async/event.h"
#include "common/async/mailbox.h"
#include "common/async/one_at_a_time.h"
#include "common/async/task_group.h"
#include "common/async/teardown.h"
#include "common/core/latency_probe.h"
#include "common/core/shard_meter.h"
#include "common/observability/trace_logger.h"
#include "common/runtime/session_index.h"
#include "common/runtime/shard.h"
#include "voicebridge/v1/bridge.pb.h"

namespace voicebridge::worker {

// Moves frames and timers between a gateway's call, the Conversation and the upstream; decides
// nothing. Owned by the coroutine that runs it, on its shard. Teardown order: tasks are told, the
// gateway gets what is queued and the last frame, the upstream is closed, the session leaves the
// index.
class SessionDriver {
 public:
  SessionDriver(SessionEnvironment& environment, Shard& shard,
                std::unique_ptr<GatewayStream> gateway);

  // The whole life; every wait in it is bounded or ends with the session.
  Awaitable<void> Run();

  // False after a Run whose teardown had to give a task up: that task still uses this object, which
  // must then never be destroyed.
  bool finished() const { return tasks_.empty(); }

 private:
  using UpstreamFrame = std::variant<SendUpstream, SendUpstreamAudio>;

  Awaitable<absl::Status> Attach(Deadline deadline);
  Awaitable<absl::Status> Acquire(Deadline deadline);
  Awaitable<void> Serve(Deadline handshake);
  Awaitable<void> Connect(Deadline deadline);
  void SendAttaching();
  Awaitable<void> WaitUntilReadyOrEnded();
  Awaitable<void> WaitUntilEnded();

  // session_teardown.cc
  std::shared_ptr<SessionHandle> MakeHandle();
  void End(EndReason reason, Deadline deadline);
  void AnnounceDrain(Deadline deadline);
  void Force();
  void RequestEnd(EndReason reason, std::string message);
  Awaitable<void> TearDown();
  void GiveAwayAssessment();
  void TellEverybody();
  void CutOff();
  Awaitable<void> Leave();
  void MeasureReady();
  void LogBegin();
  void LogEnded();

  Awaitable<void> ReadGateway();
  Awaitable<void> PauseForGateway(Deadline limit);
  Awaitable<void> WriteGateway();
  Awaitable<void> ReadUpstream();
  Awaitable<void> WriteUpstream();

  void HandleGatewayFrame(v1::ToWorker& frame);
  // session_effects.cc
  void Feed(ConversationEvent event);
  void Handle(ConversationEvent event);
  void Perform(SendUpstream& event);
  void Perform(SendUpstreamAudio& audio);
  void Perform(SendClientEvent& event);
  void Perform(SendClientAudio& audio);
  void Perform(DropQueuedAudio& drop);
  void Perform(BecomeReady& ready);
  void Perform(PublishSnapshotDelta& delta);
  void Perform(AcceptAudio& accepted);
  void Perform(ReportTrouble& trouble);
  void Perform(StartTool& start);
  void Perform(StartAssessment& start);
  void Perform(RetryAssessment& retry);
  void Perform(OpenSummary& open);
  void Perform(SendSummary& send);
  void Perform(CloseSummary& close);
  void Perform(EndSession& end);
  Awaitable<void> CallTool(StartTool start);
  Awaitable<void> Retry();
  void SendGateway(v1::ToGateway frame);
  void ObserveWritten(Way way, LatencyProbe& probe, std::uint64_t number);

  const std::string& session_id() const { return request_.frame().session_id(); }
  std::uint64_t epoch() const { return request_.frame().epoch(); }

  SessionEnvironment& environment_;
  TraceLogger logger_;       // Of the trace once the gateway has named it.
  std::string traceparent_;  // With a span of ours.
  Shard& shard_;
  net::any_io_executor executor_;
  std::unique_ptr<GatewayStream> gateway_;
  std::unique_ptr<RealtimeConnection> upstream_;
  ConnectFailure connect_failure_;
  AttachRequest request_;
  std::shared_ptr<SessionHandle> handle_;
  std::optional<Conversation> conversation_;
  std::shared_ptr<SessionRecord> record_;  // Null: nothing of this session is stored.
  std::unique_ptr<SummaryLink> summary_;
  OneAtATime<ConversationEvent> events_;
  Effects effects_;
  Mailbox<v1::ToGateway> gateway_queue_;
  Mailbox<UpstreamFrame> upstream_queue_;
  Event changed_;  // Ready, or ended.
  bool ready_ = false;
  std::optional<EndReason> end_reason_;
  std::string end_message_;
  bool detached_ = false;  // The gateway let go: it is answered with Detached instead of Ended.
  Deadline drain_deadline_ = Deadline::Never();  // As the gateway knows it.
  // From the accepted attach.
  std::optional<SessionMeter> meter_;
  LatencyProbe probe_up_;
  LatencyProbe probe_down_;
  std::uint64_t audio_queued_ = 0;  // Frames for the upstream, which are sent in this order.
  std::uint64_t audio_written_ = 0;
  TimePoint started_;
  std::optional<Duration> ready_after_;
  DeadlineGuard timer_;  // The conversation's next deadline.
  Teardown teardown_;
  TaskGroup tasks_;
};

}  // namespace voicebridge::worker

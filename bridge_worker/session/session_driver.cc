#include "bridge_worker/session/session_driver.h"

#include <array>
#include <utility>

#include "common/async/first_to_finish.h"
#include "common/core/limits.h"
#include "common/core/status.h"
#include "common/observability/end_reason_level.h"
#include "common/observability/trace_context.h"
#include "common/rpc/wire_status.h"
#include "common/rpc/wire_time.h"

namespace voicebridge::worker {
namespace {

constexpr Duration kGrantMax = milliseconds(500);

// What the client is told when the upstream could not be opened. Another try may help unless OpenAI
// said no.
EndReason ReasonOf(const ConnectFailure& failure) {
  const bool refused = failure.http_status == 401 || failure.http_status == 403 ||
                       failure.http_status == 400 || failure.http_status == 404;
  return refused ? v1::END_REASON_UPSTREAM_REFUSED : v1::END_REASON_UPSTREAM_UNAVAILABLE;
}

std::string MessageOf(const ConnectFailure& failure) {
  if (failure.http_status != 0) {
    return fmt::format("The Realtime API answered HTTP {} to the connection.", failure.http_status);
  }
  if (absl::IsDeadlineExceeded(failure.status)) {
    return "The Realtime API did not answer in time.";
  }
  return "The Realtime API could not be reached.";
}

}  // namespace

SessionDriver::SessionDriver(SessionEnvironment& environment, Shard& shard,
                             std::unique_ptr<GatewayStream> gateway)
    : environment_(environment),
      logger_(environment.logger, std::string()),
      shard_(shard),
      executor_(shard.executor()),
      gateway_(std::move(gateway)),
      gateway_queue_(executor_, limits::kQueueHighWater, limits::kQueueLowWater),
      upstream_queue_(executor_, limits::kQueueHighWater, limits::kQueueLowWater),
      changed_(executor_),
      started_(shard.clock().Now()),
      timer_(executor_, [this] { Feed(TimePassed{}); }),
      teardown_(tasks_, shard.clock(), executor_, [this] { CutOff(); }),
      tasks_(executor_, environment.gauges.tasks, [this](auto task, const auto& what) {
        environment_.on_task_failure(task, what);
        RequestEnd(v1::END_REASON_INTERNAL, "Something went wrong on our side.");
      }) {}

Awaitable<void> SessionDriver::Run() {
  const Deadline handshake = Deadline::After(shard_.clock().Now(), limits::kHandshakeMax);
  const absl::Status attached = co_await Attach(handshake);
  if (!attached.ok()) {
    environment_.metrics.attaches_refused.Increment();
    logger_.Info("attach.refused",
                 {{"session", session_id()}, {"epoch", epoch()}, {"reason", Message(attached)}});
    co_await gateway_->Finish(ToGrpc(attached),
                              Deadline::After(shard_.clock().Now(), limits::kCloseMax));
    co_return;
  }
  ++shard_.sessions;
  const v1::Attach& attach = request_.frame();
  const Duration budget =
      attach.has_time_left() ? FromWire(attach.time_left()) : limits::kHandshakeMax;
  co_await Serve(Deadline::After(shard_.clock().Now(), budget).EarlierOf(handshake));
  --shard_.sessions;
  co_await Leave();
}

// --- the handshake ------------------------------------------------------------------------------

Awaitable<absl::Status> SessionDriver::Attach(Deadline deadline) {
  absl::Status read =
      co_await request_.Read(*gateway_, environment_.profiles, shard_.clock(), deadline);
  traceparent_ = FormatTraceparent(ContinueTrace(request_.frame().traceparent()));
  logger_ = LoggerOfTrace(environment_.logger, traceparent_);
  if (!read.ok()) {
    co_return read;
  }
  const absl::Status granted = co_await Acquire(deadline);
  if (absl::IsAborted(granted)) {
    co_return granted;
  }
  handle_ = MakeHandle();
  const absl::Status added = co_await environment_.index.Add(handle_);
  if (added.ok()) {
    ConversationConfig config;
    config.session_id = session_id();
    config.profile = request_.profile();
    config.initial_session_json = request_.frame().initial_session_json();
    config.snapshot = request_.TakeSnapshot();
    conversation_.emplace(std::move(config), shard_.clock().Now());
    meter_.emplace(shard_.meter(), [this] {
      return std::array{upstream_queue_.bytes(), gateway_queue_.bytes()};
    });
  }
  co_return added;
}

// The grant of the epoch. A store that is away does not keep the user waiting: the voice comes
// first, and what needs the grant waits for it.
Awaitable<absl::Status> SessionDriver::Acquire(Deadline deadline) {
  const v1::Profile& profile = request_.profile();
  if (!environment_.store_is_lasting && !profile.has_assessment() && profile.tools().empty()) {
    co_return absl::OkStatus();
  }
  const auto on_superseded = [this] {
    RequestEnd(v1::END_REASON_SUPERSEDED, "Another worker has taken the session over.");
  };
  SessionOwner owner{session_id(), epoch(), environment_.worker_id, traceparent_};
  record_ = std::make_shared<SessionRecord>(environment_.store, std::move(owner), profile.name(),
                                            shard_.clock(), environment_.logger,
                                            environment_.unsaved, executor_, on_superseded);
  const TimePoint now = shard_.clock().Now();
  co_return co_await record_->Acquire(Deadline::After(now, kGrantMax).EarlierOf(deadline));
}

Awaitable<void> SessionDriver::Connect(Deadline deadline) {
  RealtimeConnectResult result =
      co_await environment_.connector.Connect(request_.profile().model(), deadline);
  upstream_ = std::move(result.connection);
  connect_failure_ = std::move(result.failure);
  if (upstream_ == nullptr && !end_reason_) {
    RequestEnd(ReasonOf(connect_failure_), MessageOf(connect_failure_));
  }
}

// --- the session --------------------------------------------------------------------------------

Awaitable<void> SessionDriver::Serve(Deadline handshake) {
  logger_.Info("session.attached", {{"session", session_id()},
                                    {"epoch", epoch()},
                                    {"profile", request_.frame().profile()},
                                    {"parent", request_.frame().traceparent()},
                                    {"traceparent", traceparent_}});
  if (record_ != nullptr) {
    // It outlives the session: what it holds is written in any case.
    shard_.tasks().TrySpawn("record session", SessionRecord::Run(record_));
  }
  tasks_.TrySpawn("read gateway", ReadGateway());
  tasks_.TrySpawn("write gateway", WriteGateway());
  SendAttaching();
  co_await FirstToFinish(Connect(handshake), WaitUntilEnded());
  if (!end_reason_) {
    tasks_.TrySpawn("read upstream", ReadUpstream());
    tasks_.TrySpawn("write upstream", WriteUpstream());
    Feed(TimePassed{});
    const bool in_time = co_await RunUntil(shard_.clock(), handshake, WaitUntilReadyOrEnded());
    if (!in_time) {
      RequestEnd(v1::END_REASON_UPSTREAM_UNAVAILABLE,
                 "The Realtime API did not confirm the session in time.");
    }
  }
  MeasureReady();
  co_await WaitUntilEnded();
  co_await TearDown();
}

void SessionDriver::MeasureReady() {
  if (ready_) {
    ready_after_ = shard_.clock().Now() - started_;
    environment_.metrics.upstream_connect_seconds.Observe(ToSeconds(*ready_after_));
    meter_->Become(SessionState::kLive);
  }
}

void SessionDriver::SendAttaching() {
  v1::ToGateway frame;
  frame.mutable_attaching()->set_epoch(epoch());
  const std::size_t bytes = frame.ByteSizeLong();
  gateway_queue_.PushControl(std::move(frame), bytes);
}

Awaitable<void> SessionDriver::WaitUntilReadyOrEnded() {
  const auto decided = [this] { return ready_ || end_reason_; };
  co_await changed_.WaitUntil(decided);
}

Awaitable<void> SessionDriver::WaitUntilEnded() {
  const auto ended = [this] { return end_reason_.has_value(); };
  co_await changed_.WaitUntil(ended);
}

// --- the pumps ----------------------------------------------------------------------------------

Awaitable<void> SessionDriver::ReadGateway() {
  while (!end_reason_) {
    v1::ToWorker* frame = co_await gateway_->ReadUntilStopped();
    if (frame == nullptr) {
      RequestEnd(v1::END_REASON_CLIENT_LOST, "The gateway is gone.");
      co_return;
    }
    if (probe_up_.IsDue()) {
      probe_up_.Read(shard_.clock().Now());
    }
    HandleGatewayFrame(*frame);
    probe_up_.Handled();
    const Deadline limit = Deadline::After(shard_.clock().Now(), limits::kPauseMax);
    if (!upstream_queue_.HasRoom()) {
      shard_.meter().way(Way::kUp).read_pauses.Add(1);
      const bool upstream_reads = co_await upstream_queue_.WaitForRoom(shard_.clock(), limit);
      if (!upstream_reads) {
        RequestEnd(v1::END_REASON_UPSTREAM_STALLED, "The Realtime API stopped reading.");
      }
    }
    if (!gateway_queue_.HasRoom()) {
      co_await PauseForGateway(limit);
    }
  }
}

Awaitable<void> SessionDriver::PauseForGateway(Deadline limit) {
  shard_.meter().way(Way::kDown).read_pauses.Add(1);
  const bool gateway_reads = co_await gateway_queue_.WaitForRoom(shard_.clock(), limit);
  if (!gateway_reads) {
    RequestEnd(v1::END_REASON_SLOW_CLIENT, "The client did not read for too long.");
  }
}

void SessionDriver::HandleGatewayFrame(v1::ToWorker& frame) {
  switch (frame.frame_case()) {
    case v1::ToWorker::kClientEvent:
      return Feed(ClientEventReceived{frame.client_event().type(), frame.client_event().json()});
    case v1::ToWorker::kAudio: {
      ClientAudioReceived audio;
      audio.pcm = std::move(*frame.mutable_audio()->mutable_pcm());
      audio.first_sample = frame.audio().first_sample();
      return Feed(std::move(audio));
    }
    case v1::ToWorker::kDetach:
      detached_ = true;
      return RequestEnd(frame.detach().reason() == v1::END_REASON_UNSPECIFIED
                            ? v1::END_REASON_CLIENT_CLOSED
                            : frame.detach().reason(),
                        "");
    case v1::ToWorker::kClientPosition:  // Nothing waits for it until sessions can move.
    case v1::ToWorker::kSnapshotPart:
    case v1::ToWorker::kSnapshotDelta:
    case v1::ToWorker::kAttach:
    case v1::ToWorker::FRAME_NOT_SET:
      return;
  }
}

Awaitable<void> SessionDriver::WriteGateway() {
  std::optional<v1::ToGateway> frame = co_await gateway_queue_.Pop();
  while (frame) {
    const Deadline limit = Deadline::After(shard_.clock().Now(), limits::kWriteMax);
    const bool is_audio = frame->has_audio();
    const std::uint64_t number = frame->audio().seq();
    const bool written = co_await gateway_->Write(*std::move(frame), limit);
    if (!written) {
      RequestEnd(v1::END_REASON_CLIENT_LOST, "The gateway is gone.");
      gateway_queue_.Discard();
      co_return;
    }
    if (is_audio) {
      ObserveWritten(Way::kDown, probe_down_, number);
    }
    frame = gateway_queue_.TryPop();
    if (!frame) {
      frame = co_await gateway_queue_.Pop();
    }
  }
  co_await gateway_->Finish(grpc::Status::OK,
                            Deadline::After(shard_.clock().Now(), limits::kCloseMax));
}

Awaitable<void> SessionDriver::ReadUpstream() {
  while (true) {
    const Incoming incoming = co_await upstream_->ReadUntilStopped();
    if (incoming.kind == Incoming::Kind::kClosed) {
      Feed(UpstreamClosed{incoming.close_code, incoming.close_reason});
      co_return;
    }
    if (probe_down_.IsDue()) {
      probe_down_.Read(shard_.clock().Now());
    }
    if (!end_reason_) {
      Feed(UpstreamMessage{incoming.kind == Incoming::Kind::kText ? incoming.payload
                                                                  : std::string_view()});
    }
    probe_down_.Handled();
    if (!gateway_queue_.HasRoom()) {
      co_await PauseForGateway(Deadline::After(shard_.clock().Now(), limits::kPauseMax));
    }
  }
}

void SessionDriver::ObserveWritten(Way way, LatencyProbe& probe, std::uint64_t number) {
  if (const auto read = probe.Written(number)) {
    shard_.meter().way(way).relay.Observe(shard_.clock().Now() - *read);
  }
}

// Ends when the queue is discarded, and then closes the socket: it is the only writer.
Awaitable<void> SessionDriver::WriteUpstream() {
  std::optional<UpstreamFrame> frame = co_await upstream_queue_.Pop();
  while (frame) {
    const Deadline limit = Deadline::After(shard_.clock().Now(), limits::kWriteMax);
    absl::Status written;
    if (const auto* audio = std::get_if<SendUpstreamAudio>(&*frame)) {
      written = co_await upstream_->SendAudio(audio->pcm, limit);
      meter_->CountAudio(Way::kUp, audio->pcm.size());
      ObserveWritten(Way::kUp, probe_up_, ++audio_written_);
    } else {
      written = co_await upstream_->SendEvent(std::get<SendUpstream>(*frame).json, limit);
    }
    if (!written.ok()) {
      // The reader sees the same end with its close code, and feeds it.
      upstream_queue_.Discard();
      upstream_->Abort();
      co_return;
    }
    frame = upstream_queue_.TryPop();
    if (!frame) {
      frame = co_await upstream_queue_.Pop();
    }
  }
  co_await upstream_->Close(Deadline::After(shard_.clock().Now(), limits::kCloseMax));
}

}  // namespace voicebridge::worker

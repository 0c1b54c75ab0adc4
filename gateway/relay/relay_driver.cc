#include "gateway/relay/relay_driver.h"

#include <array>
#include <utility>

#include "common/core/audio.h"
#include "common/core/limits.h"
#include "common/core/status.h"

namespace voicebridge::gateway {
namespace {

constexpr std::size_t kFrameOverhead = 128;  // What a queued frame costs beside its payload.
// Kept between frames up to this size; a larger one is a rare message that passed alone.
constexpr std::size_t kBufferKept = 64U << 10U;
// RFC 6455's word for a connection that ended without a close.
constexpr std::uint16_t kConnectionBroken = 1006;

std::size_t SizeOf(const v1::ToWorker& frame) {
  if (frame.has_audio()) {
    return frame.audio().pcm().size() + kFrameOverhead;
  }
  return frame.client_event().json().size() + kFrameOverhead;
}

}  // namespace

RelayDriver::RelayDriver(RelayEnvironment& environment, Shard& shard, RelayConfig config,
                         std::unique_ptr<Connection> client, std::unique_ptr<Ticket> place)
    : environment_(environment),
      logger_(LoggerOfTrace(environment.logger, config.traceparent)),
      traceparent_(config.traceparent),
      shard_(shard),
      executor_(shard.executor()),
      session_id_(config.session_id),
      profile_(config.profile),
      audio_framing_(config.audio_framing),
      client_(std::move(client)),
      place_(std::move(place)),
      relay_(std::move(config)),
      client_queue_(executor_, limits::kQueueHighWater, limits::kQueueLowWater),
      worker_queue_(executor_, limits::kQueueHighWater, limits::kQueueLowWater),
      ended_(executor_),
      started_(shard.clock().Now()),
      handshake_(Deadline::After(started_, limits::kHandshakeMax)),
      attach_guard_(executor_, [this] { OnAttachExpired(); }),
      session_guard_(executor_, [this] { Feed(SessionTimeOver{}); }),
      teardown_(tasks_, shard.clock(), executor_, [this] { CutOff(); }),
      tasks_(executor_, environment.gauges.tasks, [this](auto task, const auto& what) {
        environment_.on_task_failure(task, what);
        Feed(TaskFailed{});
      }) {}

Awaitable<void> RelayDriver::Run() {
  const bool entered = co_await Enter();
  if (!entered) {
    co_return;
  }
  ++shard_.sessions;
  logger_.Info("session.started",
               {{"session", session_id_},
                {"profile", profile_},
                {"wire", audio_framing_ == AudioFraming::kBinary ? "binary" : "json"},
                {"traceparent", traceparent_}});
  tasks_.TrySpawn("read client", ReadClient());
  tasks_.TrySpawn("write client", WriteClient());
  if (relay_.session_max() > Duration::zero()) {
    session_guard_.Arm(Deadline::After(started_, relay_.session_max()));
  }
  Feed(SessionStarted{});
  co_await WaitUntilEnded();
  co_await TearDown();
  --shard_.sessions;
  co_await Leave();
}

// An upgrade that was accepted a moment ago may come too late by now.
Awaitable<bool> RelayDriver::Enter() {
  MakeHandle();
  const absl::Status added = co_await environment_.index.Add(handle_);
  if (added.ok()) {
    meter_.emplace(shard_.meter(), [this] {
      return std::array{worker_queue_.bytes(), client_queue_.bytes()};
    });
  } else {
    // Its place was reserved, so this can only be a drain that has begun since.
    environment_.metrics.requests_refused.Count(RefusalReason::kDraining);
    logger_.Info("session.refused", {{"session", session_id_}, {"reason", Message(added)}});
    co_await client_->Close(1013, Message(added),
                            Deadline::After(shard_.clock().Now(), limits::kCloseMax));
  }
  co_return added.ok();
}

Awaitable<void> RelayDriver::WaitUntilEnded() {
  const auto has_ended = [this] { return end_reason_.has_value(); };
  const bool ended = co_await ended_.WaitUntil(has_ended);
  if (!ended) {
    // The whole shard is being stopped.
    Feed(EndRequested{v1::END_REASON_DRAINING, Duration::zero()});
    teardown_.Force();
  }
}

// --- the browser --------------------------------------------------------------------------------

Awaitable<void> RelayDriver::ReadClient() {
  while (true) {
    const Incoming incoming = co_await client_->ReadUntilStopped();
    if (probe_up_.IsDue()) {
      probe_up_.Read(shard_.clock().Now());
    }
    switch (incoming.kind) {
      case Incoming::Kind::kText:
        Feed(ClientText{incoming.payload});
        break;
      case Incoming::Kind::kBinary:
        Feed(ClientBinary{incoming.payload});
        break;
      case Incoming::Kind::kClosed:
        client_close_code_ = client_close_code_.value_or(incoming.close_code);
        Feed(ClientClosed{incoming.close_code});
        co_return;
    }
    probe_up_.Handled();
    const Duration early = messages_.Take(environment_.message_rate, shard_.clock().Now());
    if (early > Duration::zero()) {
      co_await PauseForRate(early);
    }
    const Deadline limit = Deadline::After(shard_.clock().Now(), limits::kPauseMax);
    if (!worker_queue_.HasRoom()) {
      shard_.meter().way(Way::kUp).read_pauses.Add(1);
      const bool worker_reads = co_await worker_queue_.WaitForRoom(shard_.clock(), limit);
      if (!worker_reads) {
        Feed(Stalled{v1::END_REASON_UPSTREAM_STALLED});
      }
    }
    if (!client_queue_.HasRoom()) {
      co_await PauseForClient(limit);
    }
  }
}

// What is not read stays with the client: TCP slows it down, and nothing that it said is lost. A
// close would cost it the conversation for what may be a burst, and it would come again.
Awaitable<void> RelayDriver::PauseForRate(Duration wait) {
  if (!std::exchange(slowed_, true)) {
    environment_.metrics.clients_slowed.Increment();
    logger_.Info("client.slowed", {{"session", session_id_}});
  }
  bool goes_on = true;
  while (goes_on && wait > Duration::zero()) {
    const Deadline next = Deadline::After(shard_.clock().Now(), wait);
    goes_on = co_await shard_.clock().SleepUntil(next);
    wait = messages_.Take(environment_.message_rate, shard_.clock().Now());
  }
}

Awaitable<void> RelayDriver::PauseForClient(Deadline limit) {
  shard_.meter().way(Way::kDown).read_pauses.Add(1);
  const bool client_reads = co_await client_queue_.WaitForRoom(shard_.clock(), limit);
  if (!client_reads) {
    Feed(Stalled{v1::END_REASON_SLOW_CLIENT});
  }
}

Awaitable<void> RelayDriver::WriteClient() {
  const bool all_written = co_await WriteClientFrames();
  if (all_written) {
    const EndReasonTraits& traits = TraitsOf(end_reason_.value_or(v1::END_REASON_INTERNAL));
    client_close_code_ = client_close_code_.value_or(traits.close_code);
    co_await client_->Close(traits.close_code, traits.word,
                            Deadline::After(shard_.clock().Now(), limits::kCloseMax));
  } else {
    client_queue_.Discard();
    client_->Abort();  // The reader sees the end and reports it.
  }
  logger_.Info("client.closed", {{"session", session_id_},
                                 {"code", client_close_code_.value_or(kConnectionBroken)}});
}

// Up to the end of the queue; false: the client took no more.
Awaitable<bool> RelayDriver::WriteClientFrames() {
  std::string buffer;
  std::optional<ClientFrame> frame = co_await client_queue_.Pop();
  while (frame) {
    const bool written = co_await WriteClientFrame(*frame, buffer);
    if (!written) {
      co_return false;
    }
    frame = client_queue_.TryPop();
    if (!frame) {
      frame = co_await client_queue_.Pop();
    }
  }
  co_return true;
}

Awaitable<bool> RelayDriver::WriteClientFrame(const ClientFrame& frame, std::string& buffer) {
  const auto* audio = std::get_if<v1::ServerAudio>(&frame);
  if (audio == nullptr) {
    const Deadline limit = Deadline::After(shard_.clock().Now(), limits::kWriteMax);
    const absl::Status written = co_await client_->WriteText(std::get<std::string>(frame), limit);
    co_return written.ok();
  }
  const absl::Status written = co_await WriteClientAudio(*audio, buffer);
  if (buffer.capacity() > kBufferKept) {
    buffer = std::string();
  }
  if (written.ok()) {
    ObserveWritten(*audio);
    Feed(AudioDelivered{audio->item_id(),
                        audio->first_sample() + SamplesOfBytes(audio->pcm().size())});
  }
  co_return written.ok();
}

Awaitable<absl::Status> RelayDriver::WriteClientAudio(const v1::ServerAudio& audio,
                                                      std::string& buffer) {
  const Deadline limit = Deadline::After(shard_.clock().Now(), limits::kWriteMax);
  if (audio_framing_ == AudioFraming::kBinary && EncodeAudioFrame(audio, buffer)) {
    co_return co_await client_->WriteBinary(buffer, limit);
  }
  buffer.clear();
  EncodeAudioDelta(audio, buffer);
  co_return co_await client_->WriteText(buffer, limit);
}

// --- the relay ----------------------------------------------------------------------------------

void RelayDriver::Feed(RelayEvent event) {
  events_.Feed(std::move(event), [this](RelayEvent next) { Handle(std::move(next)); });
}

void RelayDriver::Handle(RelayEvent event) {
  if (end_reason_) {
    return;
  }
  effects_.clear();
  relay_.Handle(std::move(event), effects_);
  for (RelayEffect& effect : effects_) {
    Perform(effect);
  }
}

void RelayDriver::Perform(RelayEffect& effect) {
  if (auto* audio = std::get_if<SendClientAudio>(&effect)) {
    const std::size_t bytes = audio->audio.pcm().size() + kFrameOverhead;
    probe_down_.Queued(audio->audio.seq());
    client_queue_.Push(std::move(audio->audio), bytes);
  } else if (auto* worker_frame = std::get_if<SendWorker>(&effect)) {
    if (worker_frame->frame.has_audio()) {
      const v1::ClientAudio& client_audio = worker_frame->frame.audio();
      meter_->CountAudio(Way::kUp, client_audio.pcm().size());
      probe_up_.Queued(client_audio.first_sample());
    } else {
      ObserveClientEvent(worker_frame->frame.client_event());
    }
    const std::size_t bytes = SizeOf(worker_frame->frame);
    worker_queue_.Push(std::move(worker_frame->frame), bytes);
  } else if (auto* event = std::get_if<SendClientEvent>(&effect)) {
    const std::size_t bytes = event->json.size() + kFrameOverhead;
    client_queue_.Push(std::move(event->json), bytes);
  } else if (const auto* drop = std::get_if<DropQueuedAudio>(&effect)) {
    const std::size_t dropped = client_queue_.RemoveIf([&](const ClientFrame& frame) {
      const auto* queued = std::get_if<v1::ServerAudio>(&frame);
      return queued != nullptr && queued->response_id() == drop->response_id;
    });
    environment_.metrics.audio_frames_dropped.Increment(static_cast<double>(dropped));
  } else if (auto* attach = std::get_if<AttachWorker>(&effect)) {
    attach_guard_.Disarm();
    attaching_.reset();
    if (worker_ != nullptr) {
      worker_->Cancel();
    }
    tasks_.TrySpawn("attachment", RunAttachment(std::move(attach->attach)));
  } else if (std::holds_alternative<AwaitReady>(effect)) {
    attach_guard_.Arm(handshake_);
    attaching_.reset();
  } else if (std::holds_alternative<OpenWorkerQueue>(effect)) {
    attach_guard_.Disarm();
    attaching_.reset();
    meter_->Become(SessionState::kLive);
    ready_after_ = shard_.clock().Now() - started_;
    environment_.metrics.ready_seconds.Observe(ToSeconds(*ready_after_));
    worker_writing_ = true;
    tasks_.TrySpawn("write worker", WriteWorker(worker_));
  } else if (const auto* end = std::get_if<EndSession>(&effect)) {
    OnEnd(end->reason);
  }
}

void RelayDriver::OnEnd(EndReason reason) {
  end_reason_ = reason;
  ended_.Notify();
}

}  // namespace voicebridge::gateway

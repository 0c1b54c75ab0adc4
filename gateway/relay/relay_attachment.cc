// One attempt to have the session at a worker, and the frames to and from it while it is there.
#include <functional>
#include <utility>

#include "common/core/limits.h"
#include "common/core/status.h"
#include "common/rpc/wire_status.h"
#include "common/rpc/wire_time.h"
#include "gateway/relay/relay_driver.h"

namespace voicebridge::gateway {
namespace {

// The worker's own verdict about a slow upstream reaches us before our budget ends.
constexpr Duration kAttachReserve = milliseconds(300);
// A worker that does not answer gets this part of the time that is left, so that the next is tried.
constexpr int kAttachShares = 4;

}  // namespace

Awaitable<void> RelayDriver::RunAttachment(v1::Attach attach) {
  const std::uint64_t epoch = attach.epoch();
  // Session ids are random, so their hash is as good as a dice.
  const std::uint64_t random = std::hash<std::string>{}(session_id_) + epoch;
  const WorkerWatch::Views workers = environment_.workers.Current();
  const std::optional<std::string> address = ChooseWorker(*workers, tried_workers_, random);
  if (!address || handshake_.HasPassed(shard_.clock().Now())) {
    Feed(NoWorkerLeft{});
    co_return;
  }
  if (!tried_workers_.empty()) {
    environment_.metrics.attach_retries.Increment();
  }
  tried_workers_.push_back(*address);
  attaching_ = CountAttach(*workers, *address);
  attach_guard_.Arm(AttachLimit(*workers, random));
  const std::shared_ptr<WorkerStream> stream = environment_.links.PrepareConverse(*address, shard_);
  worker_ = stream;
  ++environment_.gauges.calls;
  const absl::Status opened = co_await OpenAttachment(std::move(attach), *address, stream);
  if (opened.ok()) {
    co_await ReadWorker(epoch, stream);
  } else {
    Feed(WorkerLost{epoch, opened});
  }
  --environment_.gauges.calls;
}

// For the worker's answer. The last that can be tried gets all that is left.
Deadline RelayDriver::AttachLimit(const WorkerViews& workers, std::uint64_t random) const {
  if (!ChooseWorker(workers, tried_workers_, random)) {
    return handshake_;
  }
  const TimePoint now = shard_.clock().Now();
  return Deadline::After(now, handshake_.Remaining(now) / kAttachShares);
}

Awaitable<absl::Status> RelayDriver::OpenAttachment(v1::Attach attach, const std::string& address,
                                                    std::shared_ptr<WorkerStream> stream) {
  const bool started = co_await stream->Start(handshake_);
  if (!started) {
    co_return Unavailable("no connection to worker {}", address);
  }
  const Duration left = handshake_.KeepingBack(kAttachReserve).Remaining(shard_.clock().Now());
  *attach.mutable_time_left() = ToWire(left);
  v1::ToWorker frame;
  *frame.mutable_attach() = std::move(attach);
  const bool written = co_await stream->Write(std::move(frame), handshake_);
  if (!written) {
    const grpc::Status status =
        co_await stream->Finish(Deadline::After(shard_.clock().Now(), limits::kCloseMax));
    co_return status.ok() ? Unavailable("worker {} ended the call", address) : FromGrpc(status);
  }
  co_return absl::OkStatus();
}

Awaitable<void> RelayDriver::ReadWorker(std::uint64_t epoch, std::shared_ptr<WorkerStream> stream) {
  v1::ToGateway* frame = co_await stream->ReadUntilStopped();
  while (frame != nullptr) {
    if (frame->has_event()) {
      ObserveServerEvent(frame->event());
    } else if (probe_down_.IsDue()) {
      probe_down_.Read(shard_.clock().Now());
    }
    Feed(WorkerFrame{epoch, *frame});
    probe_down_.Handled();
    if (!client_queue_.HasRoom()) {
      co_await PauseForClient(Deadline::After(shard_.clock().Now(), limits::kPauseMax));
    }
    frame = co_await stream->ReadUntilStopped();
  }
  const grpc::Status status =
      co_await stream->Finish(Deadline::After(shard_.clock().Now(), limits::kCloseMax));
  Feed(
      WorkerLost{epoch, status.ok() ? Unavailable("the worker ended the call") : FromGrpc(status)});
}

Awaitable<void> RelayDriver::WriteWorker(std::shared_ptr<WorkerStream> stream) {
  std::optional<v1::ToWorker> frame = co_await worker_queue_.Pop();
  bool accepted = true;  // If not, the reader sees the end with its status, and feeds it.
  while (frame && accepted) {
    const Deadline limit = Deadline::After(shard_.clock().Now(), limits::kWriteMax);
    const bool is_audio = frame->has_audio();
    const std::uint64_t number = frame->audio().first_sample();
    accepted = co_await stream->Write(*std::move(frame), limit);
    if (is_audio && accepted) {
      ObserveWritten(number);
    }
    frame = worker_queue_.TryPop();
    if (!frame) {
      frame = co_await worker_queue_.Pop();
    }
  }
}

void RelayDriver::OnAttachExpired() {
  Feed(
      WorkerLost{relay_.epoch(), absl::DeadlineExceededError("the worker did not answer in time")});
}

}  // namespace voicebridge::gateway

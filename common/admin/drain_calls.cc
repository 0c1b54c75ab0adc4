#include "common/admin/drain_calls.h"

#include <utility>

#include "common/core/status.h"
#include "common/rpc/wire_status.h"
#include "common/rpc/wire_time.h"

namespace voicebridge {

bool DrainCalls::Add(const std::shared_ptr<DrainCall>& call) {
  const std::lock_guard lock(mutex_);
  return !stopped_ && open_.insert(call).second;
}

void DrainCalls::Remove(const std::shared_ptr<DrainCall>& call) {
  const std::lock_guard lock(mutex_);
  open_.erase(call);
}

void DrainCalls::FinishAll() {
  std::set<std::shared_ptr<DrainCall>> left;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    left.swap(open_);
  }
  for (const auto& call : left) {
    call->Abandon();
  }
}

grpc::ServerWriteReactor<v1::DrainProgress>* DrainCall::Open(
    const v1::DrainRequest& request, DrainControl* drain,
    const std::shared_ptr<DrainCalls>& calls) {
  const std::shared_ptr<DrainCall> call(new DrainCall(drain, calls));
  call->self_ = call;
  if (drain == nullptr) {
    call->OnEnd(absl::UnimplementedError("not offered by this process"));
    return call.get();
  }
  const Duration budget = FromWire(request.budget());
  absl::StatusOr<DrainCommand> command =
      drain->Check(request, request.has_budget() ? &budget : nullptr);
  if (!command.ok()) {
    call->OnEnd(command.status());
  } else if (!calls->Add(call)) {
    call->OnEnd(Unavailable("the process is stopping"));
  } else {
    drain->Drain(*std::move(command), call);
  }
  return call.get();
}

void DrainCall::OnProgress(const v1::DrainProgress& progress) {
  const std::lock_guard lock(mutex_);
  if (!end_) {
    next_ = progress;
    Proceed();
  }
}

void DrainCall::OnEnd(const absl::Status& status) {
  const std::lock_guard lock(mutex_);
  if (!end_) {
    end_ = ToGrpc(status);
    Proceed();
  }
}

void DrainCall::Abandon() {
  const std::lock_guard lock(mutex_);
  next_.reset();
  if (!end_) {
    end_ = ToGrpc(Unavailable("the process is leaving"));
  }
  Proceed();  // A write that its peer does not take ends with the server.
}

void DrainCall::Proceed() {
  if (writing_ || finished_) {
    return;
  }
  if (next_) {
    writing_ = true;
    writing_now_ = *std::exchange(next_, std::nullopt);
    StartWrite(&writing_now_);
  } else if (end_) {
    finished_ = true;
    Finish(*end_);
  }
}

void DrainCall::OnWriteDone(bool ok) {
  const std::lock_guard lock(mutex_);
  writing_ = false;
  if (!ok) {
    next_.reset();
    end_ = grpc::Status::CANCELLED;
  }
  Proceed();
}

// The drain goes on without its watcher.
void DrainCall::OnCancel() {
  const std::lock_guard lock(mutex_);
  next_.reset();
  end_ = grpc::Status::CANCELLED;
  Proceed();
}

void DrainCall::OnDone() {
  const std::shared_ptr<DrainCall> self = std::exchange(self_, nullptr);
  calls_->Remove(self);
  if (drain_ != nullptr) {
    drain_->Release(this);
  }
}

}  // namespace voicebridge

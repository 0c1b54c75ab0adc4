// The client's side of a unary call, on a completion queue.
#pragma once

#include <absl/status/statusor.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/support/async_unary_call.h>

#include <memory>
#include <utility>

#include "common/async/awaitable.h"
#include "common/rpc/call_deadline.h"
#include "common/rpc/completion.h"
#include "common/rpc/wire_status.h"

namespace voicebridge {

// One request, one answer. Owned by the coroutine that awaits it, used on its executor; destruction
// cancels the call.
template <class Response>
class ClientUnary {
 public:
  using Call = grpc::ClientAsyncResponseReader<Response>;

  // `time_left` bounds all of the call, also at the server. `prepare` is handed the context and
  // returns the prepared call, for example `stub.PrepareAsyncGetReport(context, request, queue)`.
  template <class Prepare>
  ClientUnary(const net::any_io_executor& executor, Duration time_left, Prepare prepare)
      : core_(std::make_shared<Core>(executor)) {
    core_->context.set_deadline(CallDeadlineIn(time_left));
    core_->call = prepare(&core_->context);
  }
  ~ClientUnary() { core_->context.TryCancel(); }
  ClientUnary(const ClientUnary&) = delete;
  ClientUnary& operator=(const ClientUnary&) = delete;

  // Once. Past the time that was given: DEADLINE_EXCEEDED; CANCELLED when the calling task was
  // cancelled first.
  Awaitable<absl::StatusOr<Response>> Run() {
    core_->finish.Begin(core_);
    core_->call->StartCall();
    core_->call->Finish(&core_->response, &core_->status, core_->finish.tag());
    co_await core_->finish.Wait();
    if (core_->finish.pending()) {
      core_->context.TryCancel();
      co_return absl::CancelledError("task cancelled");
    }
    if (!core_->status.ok()) {
      co_return FromGrpc(core_->status);
    }
    co_return std::move(core_->response);
  }

 private:
  // Kept alive by the pending operation: gRPC writes to it until the tag comes back.
  struct Core {
    explicit Core(const net::any_io_executor& executor) : finish(executor) {}

    grpc::ClientContext context;
    std::unique_ptr<Call> call;  // Lives in gRPC's arena of `context`'s call.
    Response response;
    grpc::Status status;
    Operation finish;
  };

  std::shared_ptr<Core> core_;
};

}  // namespace voicebridge

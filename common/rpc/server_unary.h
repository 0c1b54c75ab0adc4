// The server's side of a unary call, on a completion queue.
#pragma once

#include <absl/status/statusor.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/support/async_unary_call.h>

#include <memory>
#include <utility>

#include "common/rpc/call_deadline.h"
#include "common/rpc/server_stream.h"
#include "common/rpc/wire_status.h"

namespace voicebridge {

// One accepted call. Owned by the coroutine that answers it, used on its executor; destruction
// without an answer cancels the call.
template <class Request, class Response>
class ServerUnary {
 public:
  using Call = grpc::ServerAsyncResponseWriter<Response>;

  // As ServerWriter::Accept: `arm` is handed context, request, call and tag.
  template <class Arm>
  static Awaitable<std::unique_ptr<ServerUnary>> Accept(net::any_io_executor executor, Arm arm) {
    auto core = std::make_shared<Core>(executor);
    core->ArmAccept();
    arm(&core->context, &core->request, &core->call, core->accept.tag());
    const bool accepted = co_await core->WaitAccepted();
    if (!accepted) {
      co_return nullptr;
    }
    co_return std::unique_ptr<ServerUnary>(new ServerUnary(std::move(core)));
  }

  ~ServerUnary() { core_->Cancel(); }
  ServerUnary(const ServerUnary&) = delete;
  ServerUnary& operator=(const ServerUnary&) = delete;

  const Request& request() const { return core_->request; }

  // How long the client still waits.
  Duration time_left() const { return TimeLeftUntil(core_->context.raw_deadline()); }

  // Once.
  Awaitable<void> Finish(absl::StatusOr<Response> answer, Deadline deadline) {
    core_->finished = true;
    core_->finish.Begin(core_);
    if (answer.ok()) {
      core_->call.Finish(*answer, grpc::Status::OK, core_->finish.tag());
    } else {
      core_->call.FinishWithError(ToGrpc(answer.status()), core_->finish.tag());
    }
    core_->guard.Arm(deadline);
    co_await core_->finish.Wait();
    core_->guard.Disarm();
  }

 private:
  struct Core final : ServerCallCore<Call> {
    using ServerCallCore<Call>::ServerCallCore;
    Request request;
  };

  explicit ServerUnary(std::shared_ptr<Core> core) : core_(std::move(core)) {}

  std::shared_ptr<Core> core_;
};

}  // namespace voicebridge

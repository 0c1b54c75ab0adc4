// The client's side of streaming calls, on a completion queue.
#pragma once

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/async_stream.h>

#include <memory>
#include <utility>

#include "common/async/deadline_guard.h"
#include "common/rpc/completion.h"
#include "common/rpc/message_stream.h"

namespace voicebridge {

// What every call that we make has; kept alive by its pending operations.
template <class Call>
struct ClientCallCore : std::enable_shared_from_this<ClientCallCore<Call>> {
  explicit ClientCallCore(const net::any_io_executor& executor)
      : start(executor), read(executor), write(executor), finish(executor), guard(executor, [this] {
          context.TryCancel();
        }) {}

  // False when the call could not be started before the deadline: no connection to the server.
  Awaitable<bool> Start(Deadline deadline) {
    start.Begin(this->shared_from_this());
    call->StartCall(start.tag());
    guard.Arm(deadline);
    const bool ok = co_await start.Wait();
    guard.Disarm();
    co_return ok;
  }

  // Past the deadline the call is cancelled and the status says CANCELLED.
  Awaitable<grpc::Status> Finish(Deadline deadline) {
    if (finish_begun) {
      co_return grpc::Status(grpc::StatusCode::CANCELLED, "finished before");
    }
    finish_begun = true;
    finish.Begin(this->shared_from_this());
    call->Finish(&status, finish.tag());
    guard.Arm(deadline);
    const bool returned = co_await finish.Wait();
    guard.Disarm();
    co_return returned ? status : grpc::Status(grpc::StatusCode::CANCELLED, "task cancelled");
  }

  grpc::ClientContext context;
  std::unique_ptr<Call> call;  // Lives in gRPC's arena of `context`'s call.
  grpc::Status status;
  Operation start;
  Operation read;
  Operation write;
  Operation finish;
  DeadlineGuard guard;
  bool finish_begun = false;
};

// A bidirectional call. `In` is what the server sends.
template <class In, class Out>
class ClientStream final : public MessageStream<In, Out> {
 public:
  using Call = grpc::ClientAsyncReaderWriter<Out, In>;

  // `prepare` is handed the context and returns the prepared call, for example
  // `stub.PrepareAsyncConverse(context, queue)`.
  template <class Prepare>
  ClientStream(const net::any_io_executor& executor, Prepare prepare)
      : core_(std::make_shared<Core>(executor)) {
    core_->call = prepare(&core_->context);
  }

  ~ClientStream() override { core_->context.TryCancel(); }

  Awaitable<bool> Start(Deadline deadline) { return core_->Start(deadline); }

  Awaitable<In*> ReadUntilStopped() override {
    core_->read.Begin(core_);
    core_->call->Read(&core_->in, core_->read.tag());
    const bool ok = co_await core_->read.Wait();
    co_return ok ? &core_->in : nullptr;
  }

  Awaitable<bool> Write(Out message, Deadline deadline) override {
    if (core_->write.pending()) {
      co_return false;
    }
    core_->out = std::move(message);
    core_->write.Begin(core_);
    core_->call->Write(core_->out, core_->write.tag());
    core_->guard.Arm(deadline);
    const bool ok = co_await core_->write.Wait();
    core_->guard.Disarm();
    co_return ok;
  }

  void Cancel() override { core_->context.TryCancel(); }

  // The call's status, once reading has ended. No read may be pending.
  Awaitable<grpc::Status> Finish(Deadline deadline) { return core_->Finish(deadline); }

 private:
  struct Core final : ClientCallCore<Call> {
    using ClientCallCore<Call>::ClientCallCore;
    In in;
    Out out;
  };

  std::shared_ptr<Core> core_;
};

// A call with one request, answered by a stream.
template <class In>
class ClientReader {
 public:
  using Call = grpc::ClientAsyncReader<In>;

  template <class Prepare>
  ClientReader(const net::any_io_executor& executor, Prepare prepare)
      : core_(std::make_shared<Core>(executor)) {
    core_->call = prepare(&core_->context);
  }
  ~ClientReader() { core_->context.TryCancel(); }

  Awaitable<bool> Start(Deadline deadline) { return core_->Start(deadline); }

  // The next message, valid until the next read; null at the end. Past the deadline the call is
  // cancelled.
  Awaitable<In*> Read(Deadline deadline) {
    core_->read.Begin(core_);
    core_->call->Read(&core_->in, core_->read.tag());
    core_->guard.Arm(deadline);
    const bool ok = co_await core_->read.Wait();
    core_->guard.Disarm();
    co_return ok ? &core_->in : nullptr;
  }

  Awaitable<grpc::Status> Finish(Deadline deadline) { return core_->Finish(deadline); }
  void Cancel() { core_->context.TryCancel(); }

 private:
  struct Core final : ClientCallCore<Call> {
    using ClientCallCore<Call>::ClientCallCore;
    In in;
  };

  std::shared_ptr<Core> core_;
};

}  // namespace voicebridge

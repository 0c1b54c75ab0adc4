// The server's side of streaming calls, on a completion queue.
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

// What every accepted call has. Kept alive by its pending operations, so that gRPC never writes to
// freed memory; the handle that a session owns (ServerStream, ServerWriter) only shares it.
template <class Call>
struct ServerCallCore : std::enable_shared_from_this<ServerCallCore<Call>> {
  explicit ServerCallCore(const net::any_io_executor& executor)
      : call(&context),
        accept(*this, executor),
        done(executor),
        read(executor),
        write(executor),
        finish(executor),
        guard(executor, [this] { context.TryCancel(); }) {}  // Also while the status is sent.

  void Cancel() {
    if (started && !finished) {
      context.TryCancel();
    }
  }

  // gRPC delivers `done` only for calls that were accepted, and wants it armed before that.
  void ArmAccept() {
    context.AsyncNotifyWhenDone(done.tag());
    done.Begin(this->shared_from_this());
    accept.came_back.Begin(this->shared_from_this());
  }

  Awaitable<bool> WaitAccepted() {
    started = co_await accept.came_back.Wait();
    accept.is_unwanted = accept.came_back.pending();
    co_return started;
  }

  // Comes back long before the coroutine that waits for it runs, if there still is one; `done` may
  // come right behind it.
  struct Acceptance final : CompletionTag {
    Acceptance(ServerCallCore& owner, const net::any_io_executor& executor)
        : core(owner), came_back(executor) {}

    void* tag() { return static_cast<CompletionTag*>(this); }

    void OnCompletion(bool ok) override {
      if (!ok) {
        core.done.Forget();
      } else if (is_unwanted) {
        core.context.TryCancel();
      }
      came_back.OnCompletion(ok);
    }

    ServerCallCore& core;
    Operation came_back;
    bool is_unwanted = false;  // Whoever waited was cancelled.
  };

  Awaitable<void> Finish(grpc::Status status, Deadline deadline) {
    if (finished || write.pending()) {
      Cancel();
      co_return;
    }
    finished = true;
    finish.Begin(this->shared_from_this());
    call.Finish(status, finish.tag());
    guard.Arm(deadline);
    co_await finish.Wait();
    guard.Disarm();
  }

  grpc::ServerContext context;
  Call call;
  Acceptance accept;
  Operation done;
  Operation read;
  Operation write;
  Operation finish;
  DeadlineGuard guard;
  bool started = false;
  bool finished = false;
};

// A bidirectional call. `In` is what the client sends.
template <class In, class Out>
class ServerStream final : public MessageStream<In, Out> {
 public:
  using Call = grpc::ServerAsyncReaderWriter<Out, In>;

  // Waits for the next call. `request` arms the accept: it is handed context, call and tag. Null
  // when the server shuts down or the task is cancelled.
  template <class Request>
  static Awaitable<std::unique_ptr<ServerStream>> Accept(net::any_io_executor executor,
                                                         Request request) {
    auto core = std::make_shared<Core>(executor);
    core->ArmAccept();
    request(&core->context, &core->call, core->accept.tag());
    const bool accepted = co_await core->WaitAccepted();
    if (!accepted) {
      co_return nullptr;
    }
    co_return std::unique_ptr<ServerStream>(new ServerStream(std::move(core)));
  }

  ~ServerStream() override { core_->Cancel(); }

  Awaitable<In*> ReadUntilStopped() override {
    core_->read.Begin(core_);
    core_->call.Read(&core_->in, core_->read.tag());
    const bool ok = co_await core_->read.Wait();
    co_return ok ? &core_->in : nullptr;
  }

  Awaitable<bool> Write(Out message, Deadline deadline) override {
    if (core_->finished || core_->write.pending()) {
      co_return false;
    }
    core_->out = std::move(message);
    core_->write.Begin(core_);
    core_->call.Write(core_->out, core_->write.tag());
    core_->guard.Arm(deadline);
    const bool ok = co_await core_->write.Wait();
    core_->guard.Disarm();
    co_return ok;
  }

  void Cancel() override { core_->Cancel(); }

  // Ends the call with a status. No write may be pending; a pending read ends with null.
  Awaitable<void> Finish(grpc::Status status, Deadline deadline) {
    return core_->Finish(std::move(status), deadline);
  }

 private:
  struct Core final : ServerCallCore<Call> {
    using ServerCallCore<Call>::ServerCallCore;
    In in;
    Out out;
  };

  explicit ServerStream(std::shared_ptr<Core> core) : core_(std::move(core)) {}

  std::shared_ptr<Core> core_;
};

// A call with one request that is answered by a stream.
template <class Request, class Out>
class ServerWriter {
 public:
  using Call = grpc::ServerAsyncWriter<Out>;

  // As ServerStream::Accept; `arm` is handed context, request, call and tag.
  template <class Arm>
  static Awaitable<std::unique_ptr<ServerWriter>> Accept(net::any_io_executor executor, Arm arm) {
    auto core = std::make_shared<Core>(executor);
    core->ArmAccept();
    arm(&core->context, &core->request, &core->call, core->accept.tag());
    const bool accepted = co_await core->WaitAccepted();
    if (!accepted) {
      co_return nullptr;
    }
    co_return std::unique_ptr<ServerWriter>(new ServerWriter(std::move(core)));
  }

  ~ServerWriter() { core_->Cancel(); }

  const Request& request() const { return core_->request; }

  // As MessageStream::Write.
  Awaitable<bool> Write(Out message, Deadline deadline) {
    if (core_->finished || core_->write.pending()) {
      co_return false;
    }
    core_->out = std::move(message);
    core_->write.Begin(core_);
    core_->call.Write(core_->out, core_->write.tag());
    core_->guard.Arm(deadline);
    const bool ok = co_await core_->write.Wait();
    core_->guard.Disarm();
    co_return ok;
  }

  // The client is gone or the call was cancelled.
  bool gone() const { return !core_->done.pending(); }

  void Cancel() { core_->Cancel(); }

  Awaitable<void> Finish(grpc::Status status, Deadline deadline) {
    return core_->Finish(std::move(status), deadline);
  }

 private:
  struct Core final : ServerCallCore<Call> {
    using ServerCallCore<Call>::ServerCallCore;
    Request request;
    Out out;
  };

  explicit ServerWriter(std::shared_ptr<Core> core) : core_(std::move(core)) {}

  std::shared_ptr<Core> core_;
};

}  // namespace voicebridge

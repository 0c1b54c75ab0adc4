// What becomes of a call that is accepted when its accepter has gone, or that is over before it
// ran. The queue is read by hand, so that each order is certain.
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <future>
#include <memory>
#include <optional>

#include "common/async/task_group.h"
#include "common/rpc/call_deadline.h"
#include "common/rpc/listen_address.h"
#include "common/rpc/server_stream.h"
#include "tests/component/rpc/soon.h"
#include "voicebridge/v1/bridge.grpc.pb.h"

namespace voicebridge {
namespace {

using Watch = ServerWriter<v1::WatchStatusRequest, v1::WorkerStatus>;

struct Completion {
  CompletionTag* tag;
  bool ok;

  void Handle() const { tag->OnCompletion(ok); }
};

class AcceptTest : public testing::Test {
 protected:
  AcceptTest() {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service_);
    queue_ = builder.AddCompletionQueue();
    server_ = builder.BuildAndStart();
    stub_ = v1::BridgeWorker::NewStub(
        grpc::CreateChannel(WithPort("127.0.0.1:0", port), grpc::InsecureChannelCredentials()));
    EXPECT_TRUE(tasks_.TrySpawn("accept", Accept()));
    io_.poll();
  }

  ~AcceptTest() override {
    server_->Shutdown(gpr_inf_past(GPR_CLOCK_REALTIME));
    queue_->Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_->Next(&tag, &ok)) {
      Completion{static_cast<CompletionTag*>(tag), ok}.Handle();
    }
    RunHandlers();
    EXPECT_TRUE(tasks_.empty());
  }

  Awaitable<void> Accept() {
    const auto arm = [this](grpc::ServerContext* context, v1::WatchStatusRequest* request,
                            Watch::Call* call, void* tag) {
      service_.RequestWatchStatus(context, request, call, queue_.get(), queue_.get(), tag);
    };
    accepted_ = co_await Watch::Accept(io_.get_executor(), arm);
    has_returned_ = true;
  }

  // From a thread of its own; ends with the status of the call.
  std::future<grpc::StatusCode> Call() {
    return std::async(std::launch::async, [this] {
      v1::WorkerStatus status;
      const auto reader = stub_->WatchStatus(&client_, v1::WatchStatusRequest());
      while (reader->Read(&status)) {
      }
      return reader->Finish().error_code();
    });
  }

  std::optional<Completion> Next() {
    void* tag = nullptr;
    bool ok = false;
    if (queue_->AsyncNext(&tag, &ok, CallDeadlineIn(kPatience)) !=
        grpc::CompletionQueue::GOT_EVENT) {
      return std::nullopt;
    }
    return Completion{static_cast<CompletionTag*>(tag), ok};
  }

  void RunHandlers() {
    io_.restart();
    io_.poll();
  }

  v1::BridgeWorker::WithAsyncMethod_WatchStatus<v1::BridgeWorker::Service> service_;
  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::BridgeWorker::Stub> stub_;
  grpc::ClientContext client_;
  net::io_context io_;
  LiveTasks live_tasks_;
  TaskGroup tasks_{io_.get_executor(), live_tasks_,
                   [](std::string_view, const std::string& what) { ADD_FAILURE() << what; }};
  std::unique_ptr<Watch> accepted_;
  bool has_returned_ = false;
};

TEST_F(AcceptTest, ACallThatComesAfterItsAccepterWasCancelledIsCancelled) {
  tasks_.CancelAll();
  RunHandlers();
  ASSERT_TRUE(has_returned_);
  ASSERT_EQ(accepted_, nullptr);
  auto status = Call();
  const auto acceptance = Next();
  ASSERT_TRUE(acceptance.has_value());
  EXPECT_TRUE(acceptance->ok);
  acceptance->Handle();
  const auto done = Next();
  ASSERT_TRUE(done.has_value()) << "the call is still open";
  done->Handle();
  EXPECT_EQ(status.get(), grpc::StatusCode::CANCELLED);
}

TEST_F(AcceptTest, ACallThatWasOverBeforeItsAccepterRanIsGone) {
  auto status = Call();
  const auto acceptance = Next();
  ASSERT_TRUE(acceptance.has_value());
  client_.TryCancel();
  const auto done = Next();
  ASSERT_TRUE(done.has_value());
  acceptance->Handle();
  done->Handle();
  RunHandlers();
  ASSERT_NE(accepted_, nullptr);
  EXPECT_TRUE(accepted_->gone());
  accepted_.reset();
  EXPECT_EQ(status.get(), grpc::StatusCode::CANCELLED);
}

TEST_F(AcceptTest, ACallThatIsOpenIsNotGone) {
  auto status = Call();
  const auto acceptance = Next();
  ASSERT_TRUE(acceptance.has_value());
  acceptance->Handle();
  RunHandlers();
  ASSERT_NE(accepted_, nullptr);
  EXPECT_FALSE(accepted_->gone());
  accepted_.reset();  // Cancels it.
  const auto done = Next();
  ASSERT_TRUE(done.has_value());
  done->Handle();
  EXPECT_EQ(status.get(), grpc::StatusCode::CANCELLED);
}

}  // namespace
}  // namespace voicebridge

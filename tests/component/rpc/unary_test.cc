// Unary calls of client and server against each other, over a real server on loopback.
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "common/async/first_to_finish.h"
#include "common/rpc/client_unary.h"
#include "common/rpc/listen_address.h"
#include "common/rpc/server_unary.h"
#include "common/runtime/shard_group.h"
#include "tests/component/rpc/soon.h"
#include "voicebridge/v1/bridge.grpc.pb.h"

namespace voicebridge {
namespace {

using UnaryClient = ClientUnary<v1::GetReportResponse>;
using UnaryServer = ServerUnary<v1::GetReportRequest, v1::GetReportResponse>;

class UnaryTest : public testing::Test {
 protected:
  UnaryTest() {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service_);
    std::vector<std::unique_ptr<Shard>> shards;
    auto queue = builder.AddCompletionQueue();
    server_queue_ = queue.get();
    shards.push_back(std::make_unique<Shard>(std::move(queue), live_tasks_, Fail()));
    shards.push_back(
        std::make_unique<Shard>(std::make_unique<grpc::CompletionQueue>(), live_tasks_, Fail()));
    server_ = builder.BuildAndStart();
    shards_ = std::make_unique<ShardGroup>(std::move(shards));
    stub_ = v1::BridgeWorker::NewStub(
        grpc::CreateChannel(WithPort("127.0.0.1:0", port), grpc::InsecureChannelCredentials()));
    shards_->Start();
  }

  ~UnaryTest() override {
    EXPECT_TRUE(shards_->SettleTasks(Soon()).empty());
    server_->Shutdown(gpr_inf_past(GPR_CLOCK_REALTIME));
    EXPECT_TRUE(shards_->Stop(Soon()));
    EXPECT_EQ(live_tasks_.total(), 0);
  }

  static TaskGroup::OnFailure Fail() {
    return [](std::string_view task, const std::string& what) {
      ADD_FAILURE() << task << ": " << what;
    };
  }

  // Answers the next call with the session's id as the report, or with this status.
  void Serve(absl::Status status) {
    net::co_spawn(server_shard().executor(), Accept(std::move(status)), net::use_future);
  }

  Awaitable<void> Accept(absl::Status status) {
    const auto arm = [this](grpc::ServerContext* context, v1::GetReportRequest* request,
                            UnaryServer::Call* call, void* tag) {
      service_.RequestGetReport(context, request, call, server_queue_, server_queue_, tag);
    };
    auto call = co_await UnaryServer::Accept(server_shard().executor(), arm);
    if (call != nullptr) {
      server_shard().tasks().TrySpawn("answer", Answer(std::move(call), std::move(status)));
    }
  }

  Awaitable<void> Answer(std::unique_ptr<UnaryServer> call, absl::Status status) {
    time_left_.set_value(call->time_left());
    if (absl::IsUnknown(status)) {
      co_await server_shard().clock().SleepUntil(Deadline::Never());
      co_return;  // Nobody was answered.
    }
    absl::StatusOr<v1::GetReportResponse> answer = v1::GetReportResponse();
    if (status.ok()) {
      answer->set_report_json(call->request().session_id());
    } else {
      answer = status;
    }
    co_await call->Finish(std::move(answer), Soon());
  }

  std::unique_ptr<UnaryClient> Prepare(const std::string& session_id, Duration time_left) {
    v1::GetReportRequest request;
    request.set_session_id(session_id);
    const auto prepare = [&](grpc::ClientContext* context) {
      return stub_->PrepareAsyncGetReport(context, request, &client_shard().queue());
    };
    return std::make_unique<UnaryClient>(client_shard().executor(), time_left, prepare);
  }

  static Awaitable<absl::StatusOr<v1::GetReportResponse>> Call(
      std::unique_ptr<UnaryClient> client) {
    co_return co_await client->Run();
  }

  template <class T>
  T Run(Awaitable<T> work) {
    auto result = net::co_spawn(client_shard().executor(), std::move(work), net::use_future);
    EXPECT_EQ(result.wait_for(kPatience), std::future_status::ready);
    return result.get();
  }

  Shard& server_shard() { return (*shards_)[0]; }
  Shard& client_shard() { return (*shards_)[1]; }

  LiveTasks live_tasks_;
  v1::BridgeWorker::WithAsyncMethod_GetReport<v1::BridgeWorker::Service> service_;
  grpc::ServerCompletionQueue* server_queue_ = nullptr;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<ShardGroup> shards_;
  std::unique_ptr<v1::BridgeWorker::Stub> stub_;
  std::promise<Duration> time_left_;
};

TEST_F(UnaryTest, BringsTheAnswer) {
  Serve(absl::OkStatus());
  const auto answer = Run(Call(Prepare(std::string(200'000, 'x'), kPatience)));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->report_json().size(), 200'000U);
}

TEST_F(UnaryTest, BringsTheServersStatus) {
  Serve(absl::FailedPreconditionError("as agreed"));
  const absl::Status status = Run(Call(Prepare("a", kPatience))).status();
  EXPECT_EQ(status, absl::FailedPreconditionError("as agreed"));
}

TEST_F(UnaryTest, TheTimeThatIsLeftReachesTheServerAndEndsTheCall) {
  Serve(absl::UnknownError("never"));
  const TimePoint begun = std::chrono::steady_clock::now();
  const absl::Status status = Run(Call(Prepare("a", milliseconds(200)))).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_GE(std::chrono::steady_clock::now() - begun, milliseconds(190));
  const Duration told = time_left_.get_future().get();
  EXPECT_GT(told, Duration::zero());
  EXPECT_LE(told, milliseconds(210));
}

TEST_F(UnaryTest, WithoutTimeItFailsAtOnce) {
  const absl::Status status = Run(Call(Prepare("a", milliseconds(-5)))).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
}

Awaitable<void> Ignore(std::unique_ptr<UnaryClient> client, absl::Status& status) {
  const auto answer = co_await client->Run();
  status = answer.status();
}

Awaitable<bool> GiveUp(Shard& shard, std::unique_ptr<UnaryClient> client, absl::Status& status) {
  const Deadline deadline = Deadline::After(shard.clock().Now(), milliseconds(50));
  co_return co_await RunUntil(shard.clock(), deadline, Ignore(std::move(client), status));
}

TEST_F(UnaryTest, ACancelledTaskEndsAtOnceAndLeavesNoOperationBehind) {
  Serve(absl::UnknownError("never"));
  absl::Status status;
  EXPECT_FALSE(Run(GiveUp(client_shard(), Prepare("a", kPatience), status)));
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
  // The destructor of the fixture joins: every operation of both sides has come back by then.
}

}  // namespace
}  // namespace voicebridge

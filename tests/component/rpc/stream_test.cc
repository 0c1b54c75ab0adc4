// Client and server streams against each other, over a real server on loopback, on one shard each.
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "common/async/first_to_finish.h"
#include "common/rpc/client_stream.h"
#include "common/rpc/listen_address.h"
#include "common/rpc/server_stream.h"
#include "common/runtime/shard_group.h"
#include "tests/component/rpc/soon.h"
#include "voicebridge/v1/bridge.grpc.pb.h"

namespace voicebridge {
namespace {

using Server = ServerStream<v1::ToWorker, v1::ToGateway>;
using Client = ClientStream<v1::ToGateway, v1::ToWorker>;

// What the server side does with one call.
enum class Behaviour { kEcho, kReadNothing, kFinishAtOnce };

class StreamTest : public testing::Test {
 protected:
  StreamTest() {
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
    address_ = WithPort("127.0.0.1:0", port);
    shards_ = std::make_unique<ShardGroup>(std::move(shards));
    stub_ = v1::BridgeWorker::NewStub(
        grpc::CreateChannel(address_, grpc::InsecureChannelCredentials()));
    shards_->Start();
  }

  ~StreamTest() override {
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

  void Serve(Behaviour behaviour) {
    net::co_spawn(server_shard().executor(), ServeOne(behaviour), net::use_future);
  }

  Awaitable<void> ServeOne(Behaviour behaviour) {
    const auto request = [this](grpc::ServerContext* context, Server::Call* call, void* tag) {
      service_.RequestConverse(context, call, server_queue_, server_queue_, tag);
    };
    std::unique_ptr<Server> stream = co_await Server::Accept(server_shard().executor(), request);
    if (stream != nullptr) {
      server_shard().tasks().TrySpawn("call", RunCall(std::move(stream), behaviour));
    }
  }

  Awaitable<void> RunCall(std::unique_ptr<Server> stream, Behaviour behaviour) {
    if (behaviour == Behaviour::kReadNothing) {
      co_await server_shard().clock().SleepUntil(Deadline::Never());
      co_return;
    }
    v1::ToWorker* frame = nullptr;
    if (behaviour == Behaviour::kEcho) {
      frame = co_await stream->ReadUntilStopped();
    }
    while (frame != nullptr && frame->has_audio()) {
      v1::ToGateway answer;
      answer.mutable_audio()->set_pcm(frame->audio().pcm());
      answer.mutable_audio()->set_first_sample(frame->audio().first_sample());
      co_await stream->Write(std::move(answer), Soon());
      frame = co_await stream->ReadUntilStopped();
    }
    co_await stream->Finish(grpc::Status(grpc::StatusCode::NOT_FOUND, "as agreed"), Soon());
  }

  std::shared_ptr<Client> Open() {
    const auto prepare = [this](grpc::ClientContext* context) {
      return stub_->PrepareAsyncConverse(context, &client_shard().queue());
    };
    return std::make_shared<Client>(client_shard().executor(), prepare);
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
  v1::BridgeWorker::WithAsyncMethod_Converse<v1::BridgeWorker::Service> service_;
  grpc::ServerCompletionQueue* server_queue_ = nullptr;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
  std::unique_ptr<ShardGroup> shards_;
  std::unique_ptr<v1::BridgeWorker::Stub> stub_;
};

v1::ToWorker AudioFrame(std::uint64_t number, std::size_t bytes) {
  v1::ToWorker frame;
  frame.mutable_audio()->set_first_sample(number);
  frame.mutable_audio()->set_pcm(std::string(bytes, static_cast<char>(number)));
  return frame;
}

Awaitable<int> EchoMany(std::shared_ptr<Client> client, int count) {
  co_await client->Start(Soon());
  int echoed = 0;
  for (int i = 0; i < count; ++i) {
    co_await client->Write(AudioFrame(static_cast<std::uint64_t>(i), 1920), Soon());
    const v1::ToGateway* answer = co_await client->ReadUntilStopped();
    const bool same = answer != nullptr && answer->audio().first_sample() == std::uint64_t(i) &&
                      answer->audio().pcm().size() == 1920;
    echoed += same ? 1 : 0;
  }
  co_return echoed;
}

TEST_F(StreamTest, EchoesFramesInOrder) {
  Serve(Behaviour::kEcho);
  EXPECT_EQ(Run(EchoMany(Open(), 200)), 200);
}

Awaitable<grpc::Status> ReadToTheEnd(std::shared_ptr<Client> client) {
  co_await client->Start(Soon());
  const v1::ToGateway* frame = co_await client->ReadUntilStopped();
  EXPECT_EQ(frame, nullptr);
  co_return co_await client->Finish(Soon());
}

TEST_F(StreamTest, BringsTheServersStatus) {
  Serve(Behaviour::kFinishAtOnce);
  const grpc::Status status = Run(ReadToTheEnd(Open()));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(status.error_message(), "as agreed");
}

Awaitable<bool> WriteUntilRefused(std::shared_ptr<Client> client, Duration limit) {
  co_await client->Start(Soon());
  bool accepted = true;
  for (int i = 0; i < 1000 && accepted; ++i) {
    accepted = co_await client->Write(AudioFrame(1, 64 << 10),
                                      Deadline::After(std::chrono::steady_clock::now(), limit));
  }
  co_return accepted;
}

TEST_F(StreamTest, APeerThatReadsNothingEndsTheWriteAtItsDeadline) {
  Serve(Behaviour::kReadNothing);
  EXPECT_FALSE(Run(WriteUntilRefused(Open(), milliseconds(100))));
}

Awaitable<void> ReadOne(std::shared_ptr<Client> client) { co_await client->ReadUntilStopped(); }

Awaitable<bool> CancelDuringRead(Shard& shard, std::shared_ptr<Client> client) {
  co_await client->Start(Soon());
  const bool ended = co_await RunUntil(
      shard.clock(), Deadline::After(shard.clock().Now(), milliseconds(50)), ReadOne(client));
  client->Cancel();
  co_return ended;
}

TEST_F(StreamTest, ARequestedEndLeavesNoOperationBehind) {
  Serve(Behaviour::kReadNothing);
  EXPECT_FALSE(Run(CancelDuringRead(client_shard(), Open())));
  // The destructor of the fixture joins: every operation of both sides has come back by then.
}

}  // namespace
}  // namespace voicebridge

// The operator's calls, over a real server, on the sessions of an index.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "common/admin/admin_server.h"
#include "common/composition/session_admin.h"
#include "common/rpc/call_deadline.h"
#include "common/runtime/shard_group.h"
#include "voicebridge/v1/admin.grpc.pb.h"

namespace voicebridge {
namespace {

using testing::HasSubstr;

constexpr Duration kPatience = seconds(10);

Deadline Soon() { return Deadline::After(std::chrono::steady_clock::now(), kPatience); }

TaskGroup::OnFailure Fail() {
  return
      [](std::string_view task, const std::string& what) { ADD_FAILURE() << task << ": " << what; };
}

std::vector<std::unique_ptr<Shard>> OneShard(LiveTasks& tasks) {
  std::vector<std::unique_ptr<Shard>> shards;
  shards.push_back(
      std::make_unique<Shard>(std::make_unique<grpc::CompletionQueue>(), tasks, Fail()));
  return shards;
}

class AdminTest : public testing::Test {
 protected:
  AdminTest()
      : shards_(OneShard(tasks_)),
        index_(shards_.first().executor(), 0, live_),
        worker_(index_, shards_.first(), Delete()) {
    shards_.Start();
  }

  ~AdminTest() override {
    if (server_ != nullptr) {
      server_->Stop();
    }
    EXPECT_TRUE(shards_.SettleTasks(Soon()).empty());
    EXPECT_TRUE(shards_.Stop(Soon()));
  }

  SessionAdmin::DeleteStored Delete() {
    return [this](std::string session_id, Deadline) { return DeleteStored(std::move(session_id)); };
  }

  Awaitable<absl::Status> DeleteStored(std::string session_id) {
    deleted_.push_back(session_id);
    live_at_deletion_ = live_.count();
    if (hangs_) {
      deletion_began_.set_value();
      co_await shards_.first().clock().SleepUntil(Deadline::Never());
    }
    co_return stored_;
  }

  void Serve(AdminSessions* sessions) {
    const auto status = [] { return v1::ProcessStatus(); };
    server_ = *AdminServer::Start("127.0.0.1:0", status, sessions, nullptr,
                                  grpc::InsecureServerCredentials());
    stub_ = v1::Admin::NewStub(
        grpc::CreateChannel(server_->address(), grpc::InsecureChannelCredentials()));
  }

  // A session that leaves as soon as it is told.
  void AddSession(const std::string& id) {
    auto handle = std::make_shared<SessionHandle>();
    handle->session_id = id;
    handle->profile = "interview";
    handle->epoch = 3;
    handle->executor = shards_.first().executor();
    handle->end = [this, id](EndReason reason, Deadline) {
      ended_.push_back(reason);
      shards_.first().tasks().TrySpawn("leave", Leave(id));
    };
    handles_.push_back(handle);
    const absl::Status added =
        net::co_spawn(shards_.first().executor(), index_.Add(handle), net::use_future).get();
    ASSERT_TRUE(added.ok()) << added;
  }

  Awaitable<void> Leave(std::string id) {
    for (const auto& handle : handles_) {
      if (handle->session_id == id) {
        co_await index_.Remove(handle);
      }
    }
  }

  template <class Request, class Response>
  grpc::Status Call(grpc::Status (v1::Admin::Stub::*method)(grpc::ClientContext*, const Request&,
                                                            Response*),
                    const std::string& session_id) {
    grpc::ClientContext context;
    context.set_deadline(CallDeadlineIn(kPatience));
    Request request;
    request.set_session_id(session_id);
    Response response;
    return (*stub_.*method)(&context, request, &response);
  }

  grpc::Status EndSession(const std::string& id) { return Call(&v1::Admin::Stub::EndSession, id); }
  grpc::Status DeleteSession(const std::string& id) {
    return Call(&v1::Admin::Stub::DeleteSession, id);
  }

  LiveTasks tasks_;
  LiveSessions live_;
  ShardGroup shards_;
  SessionIndex index_;
  SessionAdmin worker_;
  std::vector<std::shared_ptr<SessionHandle>> handles_;
  std::unique_ptr<AdminServer> server_;
  std::unique_ptr<v1::Admin::Stub> stub_;

  // What the shard has seen; read once a call was answered.
  std::vector<EndReason> ended_;
  std::vector<std::string> deleted_;
  std::int64_t live_at_deletion_ = -1;
  absl::Status stored_ = absl::OkStatus();
  bool hangs_ = false;
  std::promise<void> deletion_began_;
};

TEST_F(AdminTest, ListsTheSessionsOfTheProcess) {
  Serve(&worker_);
  AddSession("sess_b");
  AddSession("sess_a");
  grpc::ClientContext context;
  v1::ListSessionsResponse response;
  const grpc::Status status = stub_->ListSessions(&context, v1::ListSessionsRequest(), &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(response.sessions_size(), 2);
  EXPECT_EQ(response.sessions(0).session_id(), "sess_a");
  EXPECT_EQ(response.sessions(0).profile(), "interview");
  EXPECT_EQ(response.sessions(0).epoch(), 3U);
  EXPECT_EQ(response.sessions(0).age().seconds(), 0);
}

TEST_F(AdminTest, EndsASessionAndAnswersOnceItIsGone) {
  Serve(&worker_);
  AddSession("sess_a");
  EXPECT_TRUE(EndSession("sess_a").ok());
  EXPECT_EQ(live_.count(), 0);
  EXPECT_THAT(ended_, testing::ElementsAre(v1::END_REASON_ENDED_BY_OPERATOR));
  EXPECT_EQ(EndSession("sess_a").error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(AdminTest, DeletesASessionAfterItsEnd) {
  Serve(&worker_);
  AddSession("sess_a");
  EXPECT_TRUE(DeleteSession("sess_a").ok());
  EXPECT_THAT(deleted_, testing::ElementsAre("sess_a"));
  EXPECT_EQ(live_at_deletion_, 0) << "ended first: nothing is written after the deletion";
  EXPECT_THAT(ended_, testing::ElementsAre(v1::END_REASON_ENDED_BY_OPERATOR));
}

TEST_F(AdminTest, DeletesASessionThatIsOver) {
  Serve(&worker_);
  EXPECT_TRUE(DeleteSession("sess_old").ok());
  EXPECT_THAT(deleted_, testing::ElementsAre("sess_old"));
}

TEST_F(AdminTest, DoesNotFindWhatIsNeitherLiveNorStored) {
  Serve(&worker_);
  stored_ = absl::NotFoundError("no such session");
  EXPECT_EQ(DeleteSession("sess_a").error_code(), grpc::StatusCode::NOT_FOUND);
  AddSession("sess_a");
  EXPECT_TRUE(DeleteSession("sess_a").ok()) << "it was live, and is gone";
}

TEST_F(AdminTest, TellsThatTheStoreIsAway) {
  Serve(&worker_);
  stored_ = absl::UnavailableError("the store is away");
  const grpc::Status status = DeleteSession("sess_a");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(status.error_message(), "the store is away");
}

TEST_F(AdminTest, AGatewayDeletesNothingAndSaysWhoDoes) {
  SessionAdmin gateway(index_, shards_.first(), nullptr);
  Serve(&gateway);
  AddSession("sess_a");
  const grpc::Status status = DeleteSession("sess_a");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("ask a worker"));
  EXPECT_EQ(live_.count(), 1) << "and ends nothing";
}

TEST_F(AdminTest, WithoutSessionsTheCallsAreNotOffered) {
  Serve(nullptr);
  EXPECT_EQ(EndSession("sess_a").error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(AdminTest, StopsWhileACallIsOpen) {
  Serve(&worker_);
  hangs_ = true;
  auto call = std::async(std::launch::async, [this] { return DeleteSession("sess_a"); });
  deletion_began_.get_future().wait();
  server_->Stop();
  EXPECT_EQ(call.get().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(AdminTest, RefusesOnceTheTasksOfTheShardAreClosed) {
  Serve(&worker_);
  EXPECT_TRUE(shards_.SettleTasks(Soon()).empty());
  EXPECT_EQ(EndSession("sess_a").error_code(), grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace voicebridge

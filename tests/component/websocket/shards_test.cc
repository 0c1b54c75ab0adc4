// A server whose connections live on two threads.
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <map>
#include <mutex>
#include <thread>

#include "tests/component/websocket/websocket_fixture.h"

namespace voicebridge::test {
namespace {

// Sends back one message, and counts on which threads it was called.
class CountingService final : public HttpService {
 public:
  Awaitable<HttpResponse> Respond(const HttpRequest&) override {
    HttpResponse response;
    co_return response;
  }

  UpgradeDecision DecideUpgrade(const HttpRequest&) override { return AcceptUpgrade{}; }

  Awaitable<void> Converse(HttpRequest, AcceptUpgrade,
                           std::unique_ptr<Connection> connection) override {
    Count();
    const Incoming incoming = co_await connection->ReadUntilStopped();
    const std::string message(incoming.payload);
    const absl::Status status = co_await connection->WriteText(message, In(seconds(20)));
    EXPECT_TRUE(status.ok()) << status;
    co_await connection->ReadUntilStopped();
  }

  std::map<std::thread::id, int> Counts() {
    const std::lock_guard lock(mutex_);
    return counts_;
  }

 private:
  void Count() {
    const std::lock_guard lock(mutex_);
    ++counts_[std::this_thread::get_id()];
  }

  std::mutex mutex_;
  std::map<std::thread::id, int> counts_;
};

// A thread with a loop and a task group.
class ShardThread {
 public:
  ShardThread()
      : tasks_(io_.get_executor(), live_tasks_, [](std::string_view task, const std::string& what) {
          ADD_FAILURE() << task << ": " << what;
        }) {}

  void Start() {
    thread_ = std::thread([this] { io_.run(); });
  }

  // Ends every task, then the thread.
  void Stop() {
    net::post(io_, [this] {
      tasks_.Close();
      tasks_.CancelAll();
      idle_.reset();
    });
    thread_.join();
  }

  HttpServer::Shard shard() { return {io_.get_executor(), &tasks_}; }
  net::io_context& io() { return io_; }

 private:
  net::io_context io_{1};
  net::executor_work_guard<net::io_context::executor_type> idle_{io_.get_executor()};
  LiveTasks live_tasks_;
  TaskGroup tasks_;
  std::thread thread_;
};

class Shards : public WebSocketTest {
 protected:
  Awaitable<void> ExpectEchoes(int connections) {
    std::vector<std::unique_ptr<Connection>> open;
    for (int i = 0; i < connections; ++i) {
      open.push_back(co_await Connect("/"));
    }
    for (const auto& connection : open) {
      const absl::Status status = co_await connection->WriteText("hello", In(seconds(20)));
      EXPECT_TRUE(status.ok()) << status;
    }
    for (const auto& connection : open) {
      const Incoming incoming = co_await connection->ReadUntilStopped();
      EXPECT_EQ(incoming.payload, "hello");
    }
  }
};

TEST_F(Shards, TakeConnectionsInTurnAndServeThemOnTheirThreads) {
  CountingService counting;
  ShardThread first;
  ShardThread second;
  {
    std::vector<HttpServer::Shard> shards = {first.shard(), second.shard()};
    HttpServer two_shards(server_options, std::move(shards), counting);
    const absl::StatusOr<std::string> bound = two_shards.Start();
    ASSERT_TRUE(bound.ok()) << bound.status();
    address = *bound;
    first.Start();
    second.Start();
    Run(ExpectEchoes(8));
    net::post(first.io(), [&two_shards] { two_shards.StopAccepting(); });
    first.Stop();
    second.Stop();
    EXPECT_EQ(two_shards.connections(), 0U);
  }
  const auto counts = counting.Counts();
  ASSERT_EQ(counts.size(), 2U);
  EXPECT_EQ(counts.begin()->second, 4);
  EXPECT_EQ(counts.rbegin()->second, 4);
}

}  // namespace
}  // namespace voicebridge::test

// The gateway asks workers for a report and for a retry, over real calls: WorkerReports against
// ReportCalls, with fakes in place of the assessments.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "bridge_worker/session/report_calls.h"
#include "common/rpc/listen_address.h"
#include "common/runtime/shard_group.h"
#include "gateway/workers/worker_reports.h"

namespace voicebridge {
namespace {

using testing::ElementsAre;
using worker::AssessmentRecord;
using worker::AssessmentState;

constexpr Duration kPatience = seconds(10);

Deadline Soon() { return Deadline::After(std::chrono::steady_clock::now(), kPatience); }

TaskGroup::OnFailure Fail() {
  return
      [](std::string_view task, const std::string& what) { ADD_FAILURE() << task << ": " << what; };
}

class FakeQueries final : public worker::AssessmentQueries {
 public:
  explicit FakeQueries(Clock& clock) : clock_(clock) {}

  Awaitable<absl::StatusOr<AssessmentRecord>> Find(std::string, Deadline deadline) override {
    return Answer(found, deadline);
  }
  Awaitable<absl::StatusOr<AssessmentRecord>> Retry(std::string, Deadline deadline) override {
    ++retries;
    return Answer(retried, deadline);
  }

  absl::StatusOr<AssessmentRecord> found = absl::NotFoundError("no assessment");
  absl::StatusOr<AssessmentRecord> retried = absl::NotFoundError("no assessment");
  bool hangs = false;  // As a store that is away.
  std::atomic<int> retries = 0;

 private:
  Awaitable<absl::StatusOr<AssessmentRecord>> Answer(absl::StatusOr<AssessmentRecord> answer,
                                                     Deadline deadline) {
    if (hangs) {
      co_await clock_.SleepUntil(deadline);
      co_return absl::UnavailableError("the store is away");
    }
    co_return answer;
  }

  Clock& clock_;
};

// A worker that serves nothing but these calls.
class Worker {
 public:
  Worker() : queries(clock_), calls_(service_, queries, draining, open_calls) {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service_);
    auto queue = builder.AddCompletionQueue();
    grpc::ServerCompletionQueue& calls_queue = *queue;
    std::vector<std::unique_ptr<Shard>> shards;
    shards.push_back(std::make_unique<Shard>(std::move(queue), tasks_, Fail()));
    shards_ = std::make_unique<ShardGroup>(std::move(shards));
    server_ = builder.BuildAndStart();
    address = WithPort("127.0.0.1:0", port);
    Shard& shard = shards_->first();
    calls_.Start({shard.executor(), shard.tasks(), shard.clock(), calls_queue});
    shards_->Start();
  }

  ~Worker() { Stop(); }

  void Stop() {
    if (server_ == nullptr) {
      return;
    }
    EXPECT_TRUE(shards_->SettleTasks(Soon()).empty());
    server_->Shutdown(gpr_inf_past(GPR_CLOCK_REALTIME));
    EXPECT_TRUE(shards_->Stop(Soon()));
    EXPECT_EQ(open_calls.load(), 0);
    server_ = nullptr;
  }

 private:
  SystemClock clock_;
  LiveTasks tasks_;
  v1::BridgeWorker::AsyncService service_;

 public:
  FakeQueries queries;
  std::atomic<bool> draining = false;
  std::atomic<std::int64_t> open_calls = 0;
  std::string address;

 private:
  worker::ReportCalls calls_;
  std::unique_ptr<ShardGroup> shards_;
  std::unique_ptr<grpc::Server> server_;
};

// A gateway with these workers, without its listeners. It watches nobody: all are asked in order.
class Gateway {
 public:
  explicit Gateway(const std::vector<std::string>& workers)
      : shards_(MakeShards(tasks_)),
        watch_(workers, links_, shards_.first(), gauges_, *logger_),
        index_(shards_.first().executor(), 0, gauges_.sessions),
        environment_{*logger_, metrics_, gauges_, links_, watch_, index_, Fail(), Rate{}},
        reports_(environment_, shards_.first(), "") {
    shards_.Start();
  }

  ~Gateway() {
    EXPECT_EQ(gauges_.calls.load(), 0);
    EXPECT_TRUE(shards_.SettleTasks(Soon()).empty());
    EXPECT_TRUE(shards_.Stop(Soon()));
  }

  absl::StatusOr<v1::GetReportResponse> Get() { return Run(reports_.Get("sess_1")); }
  absl::StatusOr<v1::RetryAssessmentResponse> Retry() { return Run(reports_.Retry("sess_1")); }

 private:
  static std::vector<std::unique_ptr<Shard>> MakeShards(LiveTasks& tasks) {
    std::vector<std::unique_ptr<Shard>> shards;
    shards.push_back(
        std::make_unique<Shard>(std::make_unique<grpc::CompletionQueue>(), tasks, Fail()));
    return shards;
  }

  template <class T>
  T Run(Awaitable<T> work) {
    auto result = net::co_spawn(shards_.first().executor(), std::move(work), net::use_future);
    EXPECT_EQ(result.wait_for(kPatience), std::future_status::ready);
    return result.get();
  }

  const std::unique_ptr<Logger> logger_ = MakeNullLogger();
  gateway::GatewayGauges gauges_;
  ProcessRegistry registry_;
  gateway::GatewayMetrics metrics_{registry_, gauges_};
  LiveTasks tasks_;
  PeerTls tls_{std::nullopt};
  gateway::WorkerLinks links_{tls_, ""};
  ShardGroup shards_;
  gateway::WorkerWatch watch_;
  SessionIndex index_;
  gateway::RelayEnvironment environment_;
  gateway::WorkerReports reports_;
};

AssessmentRecord Record(AssessmentState state, std::string report_json = "") {
  AssessmentRecord record;
  record.assessment_id = "asmt_1";
  record.state = state;
  record.report_json = std::move(report_json);
  return record;
}

TEST(Report, ComesWithItsStateFromTheWorkersStore) {
  Worker worker;
  Gateway gateway({worker.address});
  for (const auto& [state, word] : std::vector<std::pair<AssessmentState, std::string>>{
           {AssessmentState::kPending, "pending"}, {AssessmentState::kRunning, "running"}}) {
    worker.queries.found = Record(state, "{\"an\":\"older one\"}");
    const auto report = gateway.Get();
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_EQ(report->state(), word);
    EXPECT_EQ(report->report_json(), "");
  }
  const std::string large = "{\"text\":\"" + std::string(200 << 10, 'x') + "\"}";
  worker.queries.found = Record(AssessmentState::kCompleted, large);
  const auto report = gateway.Get();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->assessment_id(), "asmt_1");
  EXPECT_EQ(report->state(), "completed");
  EXPECT_EQ(report->report_json(), large);
}

TEST(Report, TellsWhyItFailed) {
  Worker worker;
  Gateway gateway({worker.address});
  AssessmentRecord failed = Record(AssessmentState::kFailed);
  failed.failure_reason = "model_refused";
  worker.queries.found = failed;
  const auto report = gateway.Get();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->state(), "failed");
  EXPECT_EQ(report->failure_reason(), "model_refused");
}

TEST(Report, OverTheLimitIsAnErrorAndNoAnswer) {
  Worker worker;
  Gateway gateway({worker.address});
  worker.queries.found = Record(AssessmentState::kCompleted, std::string((256 << 10) + 1, 'x'));
  EXPECT_EQ(gateway.Get().status().code(), absl::StatusCode::kInternal);
}

TEST(Report, IsFoundAtTheWorkerWhoseStoreHasIt) {
  Worker first;
  Worker second;
  Worker third;
  third.queries.found = Record(AssessmentState::kCompleted, "{}");
  Gateway gateway({first.address, second.address, third.address});
  const auto report = gateway.Get();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->report_json(), "{}");
}

TEST(Report, IsNotThereWhenEveryWorkerSaysSo) {
  Worker first;
  Worker second;
  Gateway gateway({first.address, second.address});
  EXPECT_EQ(gateway.Get().status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(gateway.Retry().status().code(), absl::StatusCode::kNotFound);
}

TEST(Report, MayBeAtAWorkerThatIsAway) {
  Worker first;
  Worker second;
  second.queries.found = Record(AssessmentState::kRunning);
  Gateway gateway({first.address, second.address});
  first.Stop();
  EXPECT_TRUE(gateway.Get().ok()) << "the next one is asked";
  second.queries.found = absl::NotFoundError("no assessment");
  EXPECT_EQ(gateway.Get().status().code(), absl::StatusCode::kUnavailable);
}

TEST(Report, OfAStoreThatIsOverloadedComesFromTheNext) {
  Worker first;
  Worker second;
  first.queries.found = absl::ResourceExhaustedError("the store's queue is full");
  second.queries.found = Record(AssessmentState::kRunning);
  Gateway gateway({first.address, second.address});
  EXPECT_TRUE(gateway.Get().ok());
}

TEST(Report, IsGivenUpInTimeWhenAStoreHangs) {
  Worker first;
  Worker second;
  first.queries.hangs = true;
  second.queries.hangs = true;
  Gateway gateway({first.address, second.address});
  const TimePoint begun = std::chrono::steady_clock::now();
  EXPECT_EQ(gateway.Get().status().code(), absl::StatusCode::kUnavailable);
  const Duration took = std::chrono::steady_clock::now() - begun;
  EXPECT_GE(took, milliseconds(4500));
  EXPECT_LE(took, milliseconds(6000));
}

TEST(Retry, IsAcceptedOnce) {
  Worker first;
  Worker second;
  first.queries.retried = Record(AssessmentState::kPending);
  Gateway gateway({first.address, second.address});
  const auto retried = gateway.Retry();
  ASSERT_TRUE(retried.ok()) << retried.status();
  EXPECT_EQ(retried->assessment_id(), "asmt_1");
  EXPECT_EQ(first.queries.retries + second.queries.retries, 1);
}

TEST(Retry, OfWhatHasNotFailedIsRefusedByTheFirstWhoKnows) {
  Worker first;
  Worker second;
  first.queries.retried = absl::FailedPreconditionError("it runs");
  Gateway gateway({first.address, second.address});
  EXPECT_EQ(gateway.Retry().status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(second.queries.retries, 0);
}

TEST(Retry, GoesToAWorkerThatIsNotDraining) {
  Worker first;
  Worker second;
  first.draining = true;
  first.queries.found = Record(AssessmentState::kFailed);
  second.queries.retried = Record(AssessmentState::kPending);
  Gateway gateway({first.address, second.address});
  EXPECT_TRUE(gateway.Retry().ok());
  EXPECT_EQ(first.queries.retries, 0);
  EXPECT_TRUE(gateway.Get().ok()) << "a report is still read";
}

}  // namespace
}  // namespace voicebridge

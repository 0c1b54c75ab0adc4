// A drain as it is watched, over a real connection to an Admin service that says what a test wants.
#include "deploy/ctl/drain_watch.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "common/core/status.h"
#include "common/rpc/wire_time.h"

namespace voicebridge::ctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr Duration kPatience = seconds(10);

TimePoint Now() { return std::chrono::steady_clock::now(); }

v1::DrainProgress Progress(std::uint32_t left, Duration time_left = seconds(3)) {
  v1::DrainProgress progress;
  progress.set_sessions_left(left);
  progress.set_sessions_total(3);
  *progress.mutable_time_left() = ToWire(time_left);
  return progress;
}

v1::DrainProgress Summary() {
  v1::DrainProgress progress = Progress(0, Duration::zero());
  progress.mutable_summary()->add_stored("sess_a");
  return progress;
}

class FakeAdmin final : public v1::Admin::Service {
 public:
  using Writer = grpc::ServerWriter<v1::DrainProgress>;
  using Behaviour = std::function<grpc::Status(const v1::DrainRequest&, Writer&)>;

  grpc::Status Drain(grpc::ServerContext*, const v1::DrainRequest* request,
                     Writer* writer) override {
    grpc::Status status = behaviour(*request, *writer);
    if (silent) {
      released.get_future().wait();
    }
    return status;
  }

  Behaviour behaviour;
  bool silent = false;  // After its behaviour, until released.
  std::promise<void> released;
};

class DrainWatchTest : public testing::Test {
 protected:
  DrainWatchTest() {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&admin_);
    server_ = builder.BuildAndStart();
    options_.address = "127.0.0.1:" + std::to_string(port);
    options_.request.set_reason("test");
    options_.timeout = kPatience;
  }

  // To the end, or for ever: that is what the tests of time are about.
  void Watch(DrainWatch& watch) {
    for (;;) {
      switch (watch.WaitFor(milliseconds(20))) {
        case DrainWatch::News::kEnd:
          return;
        case DrainWatch::News::kProgress:
          seen_.push_back(watch.progress()->sessions_left());
          break;
        case DrainWatch::News::kNothing:
          break;
      }
    }
  }

  FakeAdmin admin_;
  std::unique_ptr<grpc::Server> server_;
  DrainOptions options_;
  std::vector<std::uint32_t> seen_;
};

TEST_F(DrainWatchTest, SeesEveryMessageAndTheSummary) {
  admin_.behaviour = [](const v1::DrainRequest& request, FakeAdmin::Writer& writer) {
    EXPECT_EQ(request.reason(), "test");
    for (const std::uint32_t left : {3U, 2U, 1U}) {
      writer.Write(Progress(left));
    }
    writer.Write(Summary());
    return grpc::Status::OK;
  };
  DrainWatch watch(options_);
  EXPECT_FALSE(watch.progress());
  Watch(watch);
  EXPECT_TRUE(watch.status().ok()) << watch.status();
  EXPECT_THAT(seen_, ElementsAre(3, 2, 1));
  ASSERT_TRUE(watch.progress()->has_summary());
  EXPECT_THAT(watch.progress()->summary().stored(), ElementsAre("sess_a"));
  EXPECT_EQ(watch.WaitFor(Duration::zero()), DrainWatch::News::kEnd) << "and it stays at its end";
}

TEST_F(DrainWatchTest, TheSummaryIsTheEndHoweverTheCallEnds) {
  admin_.behaviour = [](const v1::DrainRequest&, FakeAdmin::Writer& writer) {
    writer.Write(Summary());
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "the process is leaving");
  };
  DrainWatch watch(options_);
  Watch(watch);
  EXPECT_TRUE(watch.status().ok()) << watch.status();
  EXPECT_TRUE(watch.progress()->has_summary());
}

TEST_F(DrainWatchTest, TheSummaryIsTheEndAlsoOfAServerThatHoldsTheCall) {
  admin_.silent = true;
  admin_.behaviour = [](const v1::DrainRequest&, FakeAdmin::Writer& writer) {
    writer.Write(Summary());
    return grpc::Status::OK;
  };
  DrainWatch watch(options_);
  Watch(watch);
  EXPECT_TRUE(watch.status().ok()) << watch.status();
  admin_.released.set_value();
}

TEST_F(DrainWatchTest, ARefusalIsItsStatus) {
  admin_.behaviour = [](const v1::DrainRequest&, FakeAdmin::Writer&) {
    return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "budget: too short");
  };
  DrainWatch watch(options_);
  Watch(watch);
  EXPECT_EQ(watch.status(), InvalidArgument("budget: too short"));
  EXPECT_FALSE(watch.progress());
}

TEST_F(DrainWatchTest, AnEndWithoutASummaryIsAFailure) {
  admin_.behaviour = [](const v1::DrainRequest&, FakeAdmin::Writer& writer) {
    writer.Write(Progress(2));
    return grpc::Status::OK;
  };
  DrainWatch watch(options_);
  Watch(watch);
  EXPECT_EQ(watch.status(), Unavailable("the call ended without a summary"));
  EXPECT_EQ(watch.progress()->sessions_left(), 2U) << "what was known last";
}

TEST_F(DrainWatchTest, NobodyListens) {
  server_->Shutdown();
  server_.reset();
  DrainWatch watch(options_);
  Watch(watch);
  EXPECT_EQ(watch.status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(DrainWatchTest, SilenceIsBounded) {
  admin_.silent = true;
  admin_.behaviour = [](const v1::DrainRequest&, FakeAdmin::Writer& writer) {
    writer.Write(Progress(2, hours(1)));
    return grpc::Status::OK;
  };
  options_.timeout = milliseconds(150);
  const TimePoint from = Now();
  DrainWatch watch(options_);
  Watch(watch);
  EXPECT_LT(Now() - from, kPatience);
  EXPECT_EQ(watch.status(), DeadlineExceeded("the server says nothing"));
  EXPECT_EQ(watch.progress()->sessions_left(), 2U);
  admin_.released.set_value();
}

TEST_F(DrainWatchTest, SilenceIsBoundedBeforeTheFirstWord) {
  admin_.silent = true;
  admin_.behaviour = [](const v1::DrainRequest&, FakeAdmin::Writer&) { return grpc::Status::OK; };
  options_.timeout = milliseconds(150);
  DrainWatch watch(options_);
  Watch(watch);
  EXPECT_EQ(watch.status(), DeadlineExceeded("the server says nothing"));
  admin_.released.set_value();
}

// A server that talks on is no better than one that is silent.
TEST_F(DrainWatchTest, AChattyServerIsBoundedByTheBudget) {
  std::promise<void> over;
  admin_.behaviour = [&over](const v1::DrainRequest&, FakeAdmin::Writer& writer) {
    while (writer.Write(Progress(2, milliseconds(1)))) {
    }
    over.set_value();
    return grpc::Status::OK;
  };
  const TimePoint from = Now();
  {
    DrainWatch watch(options_);
    Watch(watch);
    EXPECT_EQ(watch.status(), DeadlineExceeded("the drain is not over, although its time is"));
  }
  EXPECT_GE(Now() - from, seconds(2)) << "what the way there and back may take";
  over.get_future().wait();
}

TEST_F(DrainWatchTest, AGivenBudgetCountsFromTheBeginning) {
  admin_.silent = true;
  admin_.behaviour = [](const v1::DrainRequest&, FakeAdmin::Writer& writer) {
    writer.Write(Progress(2, hours(1)));
    return grpc::Status::OK;
  };
  *options_.request.mutable_budget() = ToWire(milliseconds(1));
  DrainWatch watch(options_);
  Watch(watch);
  EXPECT_EQ(watch.status(), DeadlineExceeded("the drain is not over, although its time is"));
  admin_.released.set_value();
}

TEST_F(DrainWatchTest, WhoStopsWatchingGivesUpTheCall) {
  std::promise<void> over;
  admin_.behaviour = [&over](const v1::DrainRequest&, FakeAdmin::Writer& writer) {
    while (writer.Write(Progress(2))) {
    }
    over.set_value();
    return grpc::Status::OK;
  };
  {
    DrainWatch watch(options_);
    while (watch.WaitFor(milliseconds(20)) != DrainWatch::News::kProgress) {
    }
    EXPECT_GT(watch.TimeLeft(), Duration::zero());
    EXPECT_LE(watch.TimeLeft(), seconds(3));
  }
  over.get_future().wait();
}

}  // namespace
}  // namespace voicebridge::ctl

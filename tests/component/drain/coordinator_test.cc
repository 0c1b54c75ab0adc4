// The drain's driver on a real clock, with a process that answers well, late, or not at all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "common/drain/drain_coordinator.h"
#include "tests/fakes/recording_logger.h"

namespace voicebridge {
namespace {

using testing::Contains;
using testing::ElementsAre;

constexpr Duration kPatience = seconds(10);
constexpr Duration kShort = milliseconds(500);  // The shortest drain there is.

TimePoint Now() { return std::chrono::steady_clock::now(); }

// One open call: what it was told, to be waited for.
class Caller final : public DrainListener {
 public:
  explicit Caller(DrainControl& control, bool releases = true)
      : control_(control), releases_(releases) {}

  void OnProgress(const v1::DrainProgress& progress) override {
    const std::lock_guard lock(mutex_);
    last_ = progress;
    ++count_;
  }

  void OnEnd(const absl::Status& status) override {
    {
      const std::lock_guard lock(mutex_);
      end_ = status;
    }
    ended_.notify_all();
    if (releases_) {
      control_.Release(this);
    }
  }

  absl::Status WaitForEnd() {
    std::unique_lock lock(mutex_);
    const bool in_time = ended_.wait_for(lock, kPatience, [this] { return end_.has_value(); });
    return in_time ? *end_ : absl::DeadlineExceededError("never told of the end");
  }

  v1::DrainProgress last() {
    const std::lock_guard lock(mutex_);
    return last_;
  }

  int count() {
    const std::lock_guard lock(mutex_);
    return count_;
  }

 private:
  DrainControl& control_;
  const bool releases_;
  std::mutex mutex_;
  std::condition_variable ended_;
  v1::DrainProgress last_;
  int count_ = 0;
  std::optional<absl::Status> end_;
};

// Used on the coordinator's thread, as a process is.
class FakeProcess final : public DrainedProcess {
 public:
  void RefuseAdmission() override {
    said.emplace_back("refuse");
    if (lists) {
      coordinator->Post(SessionsListed{sessions});
    }
  }
  void AnnounceExit(Deadline end) override { exits.push_back(end); }
  void AnnounceDrain(Deadline) override { said.emplace_back("announce"); }
  void CallWorkers(const DrainWorkers&) override { said.emplace_back("call workers"); }
  void StopBackground(Deadline) override {
    said.emplace_back("stop background");
    if (answers) {
      coordinator->Post(BackgroundStopped{});
    }
  }
  void EndSessions(Deadline) override {
    said.emplace_back("end sessions");
    for (const std::string& id : sessions) {
      if (answers) {
        coordinator->Post(SessionLeft{id, v1::END_REASON_DRAINING, {}});
      }
    }
  }
  void ForceSessions() override { said.emplace_back("force"); }
  void SaveRecords(Deadline) override {
    said.emplace_back("save");
    if (answers) {
      coordinator->Post(RecordsSaved{});
    }
  }
  std::vector<std::string> Unsaved() override { return {"sess_unsaved"}; }
  void AdmitAgain() override { said.emplace_back("admit"); }
  std::int64_t live_tasks() const override { return 7; }
  std::int64_t live_sessions() const override { return 1; }

  DrainCoordinator* coordinator = nullptr;
  std::vector<std::string> sessions{"sess_a"};
  bool lists = true;
  bool answers = true;
  std::vector<std::string> said;
  std::vector<Deadline> exits;
};

class CoordinatorTest : public testing::Test {
 protected:
  CoordinatorTest() { process_.coordinator = &coordinator_; }

  // A thread stands in for main's.
  void Serve() {
    run_ = std::async(std::launch::async, [this] { return coordinator_.Run(process_); });
  }

  std::shared_ptr<Caller> Ask(DrainMode mode, bool exit, Duration budget = seconds(3),
                              bool releases = true) {
    DrainCommand command;
    command.mode = mode;
    command.exit = exit;
    command.budget = budget;
    auto caller = std::make_shared<Caller>(coordinator_, releases);
    coordinator_.Drain(std::move(command), caller);
    return caller;
  }

  DrainCoordinator::End Leave() {
    if (run_.wait_for(kPatience) != std::future_status::ready) {
      ADD_FAILURE() << "Run does not return";
    }
    watchdog_.Disarm();
    return run_.get();
  }

  void TearDown() override {
    if (run_.valid()) {  // What a test leaves serving.
      Ask(v1::DrainRequest::CLOSE, true, kShort);
      Leave();
    }
  }

  // Its thread outlives the test, and looks at nothing once it is disarmed.
  Watchdog& watchdog_ = *new Watchdog({"test", *new LiveTasks, *new LiveSessions, *new LiveTasks});
  DrainState state_;
  RecordingLogger logger_;
  DrainCoordinator coordinator_{DrainRole::kGateway, seconds(3), watchdog_, state_, logger_};
  FakeProcess process_;
  std::future<DrainCoordinator::End> run_;
};

TEST_F(CoordinatorTest, PerformsTheStepsAndTellsWhoeverWatches) {
  Serve();
  const auto caller = Ask(v1::DrainRequest::HANDOVER, true);
  EXPECT_TRUE(caller->WaitForEnd().ok());
  const DrainCoordinator::End end = Leave();
  EXPECT_FALSE(end.forced);
  EXPECT_THAT(process_.said, ElementsAre("refuse", "stop background", "end sessions", "save"));
  ASSERT_TRUE(caller->last().has_summary());
  EXPECT_THAT(caller->last().summary().stored(), ElementsAre("sess_a"));
  EXPECT_TRUE(caller->last().summary().handover_fell_back());
  EXPECT_TRUE(caller->last().summary().has_took());
  ASSERT_EQ(process_.exits.size(), 1U);
  EXPECT_GT(process_.exits.front().Remaining(end.plan.start()), Duration::zero());
  EXPECT_TRUE(state_.draining());
  EXPECT_EQ(state_.stored(), 1);
}

TEST_F(CoordinatorTest, AStayLeavesItServingItsCalls) {
  Serve();
  const auto first = Ask(v1::DrainRequest::CLOSE, false);
  EXPECT_TRUE(first->WaitForEnd().ok());
  EXPECT_EQ(state_.TimeLeft(Now()), Duration::zero());
  const auto again = Ask(v1::DrainRequest::CLOSE, false);
  EXPECT_TRUE(again->WaitForEnd().ok());
  EXPECT_THAT(again->last().summary().stored(), ElementsAre("sess_a"));
  EXPECT_EQ(state_.stored(), 1) << "counted once";
  EXPECT_TRUE(process_.exits.empty());
  EXPECT_TRUE(Ask(v1::DrainRequest::CLOSE, true)->WaitForEnd().ok());
  Leave();
  EXPECT_EQ(process_.exits.size(), 1U);
}

TEST_F(CoordinatorTest, EndsInTimeWhenNothingAnswersAndNamesWhatIsNotSaved) {
  process_.answers = false;
  Serve();
  const TimePoint asked = Now();
  const auto caller = Ask(v1::DrainRequest::CLOSE, true, kShort);
  EXPECT_TRUE(caller->WaitForEnd().ok());
  const DrainCoordinator::End end = Leave();
  EXPECT_LT(Now() - asked, kShort);
  EXPECT_TRUE(end.forced);
  EXPECT_THAT(process_.said, Contains("force"));
  EXPECT_THAT(caller->last().summary().forced(), ElementsAre("sess_a"));
  EXPECT_THAT(caller->last().summary().not_stored(), ElementsAre("sess_unsaved"));
}

TEST_F(CoordinatorTest, AnExitIsLoggedStepByStepAndSaysWhatWasCutOff) {
  process_.answers = false;
  Serve();
  const auto caller = Ask(v1::DrainRequest::CLOSE, true, kShort);
  EXPECT_TRUE(caller->WaitForEnd().ok());
  Leave();
  EXPECT_THAT(logger_.events(),
              ElementsAre("drain.begin", "shutdown.begin", "shutdown.waiting", "shutdown.app",
                          "store.shutdown.begin", "store.shutdown.forced", "store.shutdown.end",
                          "drain.end"));
}

TEST_F(CoordinatorTest, AnExitOfADrainedProcessIsLoggedStepByStepToo) {
  Serve();
  const auto first = Ask(v1::DrainRequest::CLOSE, false);
  EXPECT_TRUE(first->WaitForEnd().ok());
  EXPECT_THAT(logger_.events(), ElementsAre("drain.begin", "drain.end"));
  const auto second = Ask(v1::DrainRequest::CLOSE, true);
  EXPECT_TRUE(second->WaitForEnd().ok());
  Leave();
  EXPECT_THAT(
      logger_.events(),
      ElementsAre("drain.begin", "drain.end", "drain.joined", "shutdown.begin", "shutdown.waiting",
                  "shutdown.app", "store.shutdown.begin", "store.shutdown.end", "drain.end"));
}

TEST_F(CoordinatorTest, ACallerThatDoesNotReadDoesNotHoldTheProcess) {
  Serve();
  const TimePoint asked = Now();
  const auto caller = Ask(v1::DrainRequest::CLOSE, true, kShort, false);
  EXPECT_TRUE(caller->WaitForEnd().ok());
  Leave();
  EXPECT_LT(Now() - asked, kShort);
}

TEST_F(CoordinatorTest, ProgressIsToldWhileSessionsFinish) {
  Serve();
  const auto caller = Ask(v1::DrainRequest::FINISH, true, seconds(2));
  EXPECT_TRUE(caller->WaitForEnd().ok());
  Leave();
  EXPECT_GE(caller->count(), 5) << "every 100 ms for a second";
  EXPECT_THAT(process_.said, Contains("announce"));
}

TEST_F(CoordinatorTest, AnUndrainEndsTheCallsAndServesAgain) {
  Serve();
  const auto caller = Ask(v1::DrainRequest::FINISH, true, seconds(60));
  std::promise<absl::Status> undone;
  coordinator_.Undrain([&undone](const absl::Status& status) { undone.set_value(status); });
  EXPECT_TRUE(undone.get_future().get().ok());
  EXPECT_TRUE(absl::IsAborted(caller->WaitForEnd()));
  EXPECT_FALSE(state_.draining());
  EXPECT_TRUE(process_.exits.empty()) << "an exit that can be undone is none yet";
}

TEST_F(CoordinatorTest, TooManyWatchersAreRefusedAndTheDrainGoesOn) {
  Serve();
  std::vector<std::shared_ptr<Caller>> callers;
  for (int i = 0; i < 64; ++i) {
    callers.push_back(Ask(v1::DrainRequest::FINISH, false, seconds(60)));
  }
  const auto refused = Ask(v1::DrainRequest::FINISH, false, seconds(60));
  EXPECT_TRUE(absl::IsResourceExhausted(refused->WaitForEnd()));
  Ask(v1::DrainRequest::CLOSE, true, kShort);  // Refused as a watcher, too.
  std::promise<absl::Status> undone;
  coordinator_.Undrain([&undone](const absl::Status& status) { undone.set_value(status); });
  EXPECT_TRUE(undone.get_future().get().ok());
  for (const auto& caller : callers) {
    EXPECT_TRUE(absl::IsAborted(caller->WaitForEnd()));
  }
}

TEST_F(CoordinatorTest, AskedFieldsAreCheckedByName) {
  v1::DrainRequest request;
  request.set_scope(v1::DrainRequest::FLEET);
  const Duration short_budget = milliseconds(600);
  const absl::Status too_short = coordinator_.Check(request, &short_budget).status();
  EXPECT_TRUE(absl::IsInvalidArgument(too_short));
  EXPECT_NE(too_short.message().find("budget"), absl::string_view::npos);
  EXPECT_EQ(coordinator_.Check(request, nullptr)->mode, v1::DrainRequest::CLOSE);
  request.set_mode(v1::DrainRequest::HANDOVER);
  EXPECT_TRUE(absl::IsInvalidArgument(coordinator_.Check(request, nullptr).status()));
  request.set_scope(v1::DrainRequest::SELF);
  EXPECT_TRUE(coordinator_.Check(request, nullptr).ok());
  const Duration far_too_short = milliseconds(499);
  EXPECT_TRUE(absl::IsInvalidArgument(coordinator_.Check(request, &far_too_short).status()));
  request.set_scope(v1::DrainRequest::FLEET);
  request.set_mode(v1::DrainRequest::CLOSE);
  EXPECT_TRUE(
      absl::IsInvalidArgument(CheckDrain(request, seconds(3), DrainRole::kWorker).status()));
}

}  // namespace
}  // namespace voicebridge

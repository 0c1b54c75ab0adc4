// The whole service over a real store thread; and who is told, on which executor.
#include <gmock/gmock.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <future>
#include <thread>

#include "bridge_worker/interview/assessment_listeners.h"
#include "bridge_worker/interview/assessment_service.h"
#include "tests/component/async/async_fixture.h"
#include "tests/component/async/real_time_fixture.h"
#include "tests/component/interview/desk_fixture.h"

namespace voicebridge::worker::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Listeners : public voicebridge::test::AsyncTest {
 protected:
  void Listen(const std::string& session_id, Told& told) {
    listeners.Put(session_id, io.get_executor(),
                  [&told](const AssessmentUpdate& update) { told.push_back(Describe(update)); });
  }

  AssessmentListeners listeners;
  Told first;
  Told second;
};

TEST_F(Listeners, AreToldInOrderOnTheirExecutor) {
  Listen("a", first);
  Listen("b", second);
  listeners.Tell("a", AssessmentQueued{2});
  listeners.Tell("a", AssessmentRunning{1});
  listeners.Tell("nobody", AssessmentRunning{1});
  EXPECT_THAT(first, IsEmpty());
  clock.RunReady();
  EXPECT_THAT(first, ElementsAre("queued 2", "running 1"));
  EXPECT_THAT(second, IsEmpty());
}

TEST_F(Listeners, HearNothingMoreOnceRemoved) {
  Listen("a", first);
  listeners.Tell("a", AssessmentQueued{1});
  listeners.Remove("a");  // While the news is under way.
  listeners.Tell("a", AssessmentRunning{1});
  clock.RunReady();
  EXPECT_THAT(first, IsEmpty());
}

TEST_F(Listeners, AreReplaced) {
  Listen("a", first);
  listeners.Tell("a", AssessmentQueued{1});
  Listen("a", second);
  listeners.Tell("a", AssessmentRunning{1});
  clock.RunReady();
  EXPECT_THAT(first, IsEmpty());
  EXPECT_THAT(second, ElementsAre("running 1"));
}

// --- The service ---

class Service : public voicebridge::test::RealTimeTest {
 protected:
  Service()
      : lost(registry),
        store_metrics(registry),
        metrics(registry),
        logger(MakeNullLogger()),
        model(clock) {
    v1::Profile profile;
    *profile.mutable_assessment() = SmallAssessment();
    profiles.emplace("interview", std::move(profile));
    model.takes = milliseconds(20);
    model.answer = [](int) {
      return AnswerOf(ResponsesAnswer::Outcome::kText, std::string(kReport));
    };
    auto made = MakeStore("sqlite::memory:");
    EXPECT_TRUE(made.ok()) << made.status();
    store = std::make_unique<StoreThread>(*std::move(made), *logger, store_metrics, library_calls);
    EXPECT_TRUE(store->Start(In(seconds(10))).ok());
    service =
        std::make_unique<AssessmentService>(limits, profiles, model, *store, lost, metrics,
                                            "worker_1", io.get_executor(), clock, tasks, *logger);
  }

  void TearDown() override {
    EndTasks();
    service.reset();
    EXPECT_TRUE(store->Flush(In(seconds(5))));
  }

  SessionOwner Acquired(const std::string& name) {
    const SessionOwner owner{"session_" + name, 1, "worker_1"};
    std::function<absl::Status(Store&)> acquire = [owner](Store& opened) {
      return opened.AcquireSession(owner, "interview");
    };
    EXPECT_TRUE(Await(store->Do(std::move(acquire), 100, In(seconds(5)))).ok());
    return owner;
  }

  void Assess(const std::string& name) {
    AssessmentRecord record;
    record.assessment_id = name;
    record.session_id = "session_" + name;
    record.profile = "interview";
    record.request_json = R"({"reason":"r","transcript":[]})";
    service->Assess(
        Acquired(name), record, Duration::zero(), io.get_executor(),
        [this, name](const AssessmentUpdate& update) { told[name].push_back(Describe(update)); });
  }

  AssessmentState StateOf(const std::string& name) {
    return Await(service->Find("session_" + name, In(seconds(5)))).value().state;
  }
  bool Ended(const std::string& name) {
    return !told[name].empty() &&
           (told[name].back() == "completed" || told[name].back().starts_with("failed"));
  }

  prometheus::Registry registry;
  LostRecords lost;
  StoreMetrics store_metrics;
  AssessmentMetrics metrics;
  LiveTasks library_calls;
  std::unique_ptr<Logger> logger;
  FakeResponsesClient model;
  Profiles profiles;
  AssessmentLimits limits;
  std::unique_ptr<StoreThread> store;
  std::unique_ptr<AssessmentService> service;
  std::map<std::string, Told> told;
};

TEST_F(Service, RunsAnAssessmentFromTheTriggerToTheReport) {
  service->Start();
  Assess("a");
  RunWhile([this] { return !Ended("a"); });
  EXPECT_THAT(told["a"], ElementsAre("stored", "queued 1", "running 1", "completed"));
  const auto record = Await(service->Find("session_a", In(seconds(5))));
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(record->state, AssessmentState::kCompleted);
  EXPECT_EQ(record->report_json, kReportInOrder);
  EXPECT_EQ(record->claim, 1U);
}

TEST_F(Service, RetriesAFailureAndRefusesToRetryASuccess) {
  model.answer = [](int call) {
    return call == 1 ? AnswerOf(ResponsesAnswer::Outcome::kRejected)
                     : AnswerOf(ResponsesAnswer::Outcome::kText, std::string(kReport));
  };
  service->Start();
  Assess("a");
  RunWhile([this] { return !Ended("a"); });
  EXPECT_EQ(told["a"].back(), "failed model_unavailable");
  told["a"].clear();
  const auto retried = Await(service->Retry("session_a", "", In(seconds(5))));
  ASSERT_TRUE(retried.ok()) << retried.status();
  EXPECT_EQ(retried->state, AssessmentState::kPending);
  RunWhile([this] { return !Ended("a"); });
  EXPECT_THAT(told["a"], ElementsAre("queued 1", "running 1", "completed"));
  EXPECT_EQ(Await(service->Retry("session_a", "", In(seconds(5)))).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Await(service->Retry("session_b", "", In(seconds(5)))).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(Service, ForgetSilencesAndTheAssessmentGoesOn) {
  service->Start();
  Assess("a");
  service->Forget("session_a");
  RunWhile([this] { return model.calls == 0 || service->running() > 0; });
  EXPECT_THAT(told["a"], IsEmpty());
  EXPECT_EQ(Await(service->Find("session_a", In(seconds(5))))->state, AssessmentState::kCompleted);
}

TEST_F(Service, StopFromAnotherThreadReleasesWhatRuns) {
  model.takes = hours(1);
  service->Start();
  Assess("a");
  RunWhile([this] { return model.in_flight == 0; });
  std::atomic<std::size_t> left = 999;
  std::thread drain([this, &left] {
    net::io_context other;
    net::co_spawn(
        other, service->Stop(In(seconds(5))),
        [&left](const std::exception_ptr& failure, const std::vector<std::string>& names) {
          left = failure ? 998 : names.size();
        });
    other.run();
  });
  RunWhile([&left] { return left == 999; });
  drain.join();
  EXPECT_EQ(left, 0U);
  EXPECT_EQ(model.cancelled, 1);
  EXPECT_EQ(Await(service->Find("session_a", In(seconds(5))))->state, AssessmentState::kPending);
}

// --- A drain, and its end ---

TEST_F(Service, OnHoldStoresWhatIsTriggeredAndRunsNothingNew) {
  model.takes = milliseconds(200);
  service->Start();
  Assess("a");
  RunWhile([this] { return model.in_flight == 0; });
  service->Hold();
  Assess("b");
  RunWhile([this] { return !Ended("a"); });  // It goes on.
  RunWhile([this] { return told["b"].size() < 2; });
  EXPECT_THAT(told["b"], ElementsAre("stored", "queued 1"));
  EXPECT_EQ(model.calls, 1);
  EXPECT_EQ(StateOf("b"), AssessmentState::kPending);
}

TEST_F(Service, ResumedAfterAHoldTakesUpWhatItStored) {
  service->Start();
  service->Hold();
  Assess("a");
  RunWhile([this] { return told["a"].size() < 2; });
  service->Resume();
  RunWhile([this] { return !Ended("a"); });
  EXPECT_EQ(StateOf("a"), AssessmentState::kCompleted);
}

TEST_F(Service, ResumedAfterAStopGoesOnWithWhatItPutBack) {
  model.takes = hours(1);
  service->Start();
  Assess("a");
  RunWhile([this] { return model.in_flight == 0; });
  EXPECT_THAT(Await(service->Stop(In(seconds(5)))), IsEmpty());
  EXPECT_EQ(StateOf("a"), AssessmentState::kPending);
  model.takes = milliseconds(20);
  service->Resume();
  RunWhile([this] { return !Ended("a"); });
  EXPECT_EQ(model.calls, 2);
  EXPECT_EQ(StateOf("a"), AssessmentState::kCompleted);
}

TEST_F(Service, StoppedBeforeItWasStartedOrTwiceHasNothingToPutBack) {
  EXPECT_THAT(Await(service->Stop(In(seconds(5)))), IsEmpty());
  EXPECT_THAT(Await(service->Stop(In(seconds(5)))), IsEmpty());
  service->Resume();
  service->Resume();
  Assess("a");
  RunWhile([this] { return !Ended("a"); });
  EXPECT_EQ(model.calls, 1);
}

TEST_F(Service, StopNamesWhatTheStoreDidNotTakeInTime) {
  model.takes = hours(1);
  service->Start();
  Assess("a");
  RunWhile([this] { return model.in_flight == 0; });
  std::promise<void> stuck;
  std::function<absl::Status(Store&)> hang = [wait = stuck.get_future().share()](Store&) {
    wait.wait();
    return absl::OkStatus();
  };
  std::optional<absl::Status> hung;
  ASSERT_TRUE(tasks.TrySpawn("hang", Keep(store->Do(std::move(hang), 0, In(hours(1))), hung)));
  EXPECT_THAT(Await(service->Stop(In(milliseconds(100)))), ElementsAre("a"));
  stuck.set_value();
  RunWhile([&hung] { return !hung; });
}

}  // namespace
}  // namespace voicebridge::worker::test

#include "bridge_worker/store/store_thread.h"

#include <boost/asio/io_context.hpp>
#include <numeric>

#include "common/async/clock.h"
#include "common/async/task_group.h"
#include "common/core/status.h"
#include "tests/component/store/store_fixture.h"
#include "tests/fakes/fake_store.h"

namespace voicebridge::test {
namespace {

using absl::StatusCode;
using ::testing::ElementsAre;
using worker::SessionOwner;
using worker::Store;
using worker::StoreThread;

using Job = std::function<absl::Status(Store&)>;
using Outcome = std::optional<absl::Status>;

Awaitable<void> DoInto(StoreThread& thread, Job job, std::size_t bytes, Deadline deadline,
                       Outcome& outcome) {
  outcome = co_await thread.Do(std::move(job), bytes, deadline);
}

Awaitable<void> AnswerInto(StoreThread& thread, Deadline deadline, absl::StatusOr<int>& answer) {
  std::function<absl::StatusOr<int>(Store&)> job = [](Store&) -> absl::StatusOr<int> { return 42; };
  answer = co_await thread.Do(std::move(job), 0, deadline);
}

class StoreThreadTest : public ::testing::Test {
 protected:
  ~StoreThreadTest() override { switches->SetHanging(false); }

  Deadline In(Duration budget) const { return Deadline::After(clock.Now(), budget); }

  void Begin(Job job, Outcome& outcome, Duration budget = seconds(10), std::size_t bytes = 0) {
    ASSERT_TRUE(tasks.TrySpawn("job", DoInto(*thread, std::move(job), bytes, In(budget), outcome)));
    io.restart();
    io.poll();
  }

  // Until no task waits any more.
  void Finish() {
    io.restart();
    io.run_for(seconds(20));
    EXPECT_TRUE(tasks.empty());
  }

  absl::Status Do(Job job, Duration budget = seconds(10)) {
    Outcome outcome;
    Begin(std::move(job), outcome, budget);
    Finish();
    return outcome.value_or(absl::UnknownError("it did not end"));
  }

  // One job that hangs in the store.
  void Occupy() {
    switches->SetHanging(true);
    Begin(Acquire(1), occupied);
    ASSERT_TRUE(switches->WaitUntilHanging());
  }

  static Job Acquire(std::uint64_t epoch) {
    return [epoch](Store& store) {
      return store.AcquireSession({"sess_1", epoch, "worker_a"}, "interview");
    };
  }

  static inline LiveTasks library_calls;  // Also of threads that were left behind.
  prometheus::Registry registry;
  worker::StoreMetrics metrics{registry};
  const SystemClock clock{};
  const std::unique_ptr<Logger> logger = MakeNullLogger();
  const std::shared_ptr<FakeStoreSwitches> switches = std::make_shared<FakeStoreSwitches>();
  std::optional<StoreThread> thread{std::in_place, std::make_unique<FakeStore>(switches), *logger,
                                    metrics, library_calls};
  Outcome occupied;
  net::io_context io;
  LiveTasks live_tasks;
  TaskGroup tasks{io.get_executor(), live_tasks,
                  [](std::string_view, const std::string& what) { ADD_FAILURE() << what; }};
};

TEST_F(StoreThreadTest, AJobRunsOnceTheStoreIsOpenAndItsResultComesBack) {
  EXPECT_THAT(thread->Start(In(seconds(10))), IsOk());
  EXPECT_THAT(Do(Acquire(2)), IsOk());
  EXPECT_THAT(Do(Acquire(1)), Fails(StatusCode::kAborted));
  EXPECT_TRUE(thread->available());
  EXPECT_TRUE(BecomesTrue([this] { return thread->pending() == 0; }));
}

TEST_F(StoreThreadTest, AValueComesBackToo) {
  absl::StatusOr<int> answer = 0;
  ASSERT_TRUE(tasks.TrySpawn("answer", AnswerInto(*thread, In(seconds(10)), answer)));
  Finish();
  EXPECT_EQ(answer.value_or(-1), 42);
}

TEST_F(StoreThreadTest, JobsRunInTheirOrder) {
  std::vector<int> order;
  std::vector<Outcome> outcomes(20);
  for (int i = 0; i < 20; ++i) {
    const auto note = [&order, i](Store&) {
      order.push_back(i);
      return absl::OkStatus();
    };
    Begin(note, outcomes[static_cast<std::size_t>(i)]);
  }
  Finish();
  std::vector<int> expected(20);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(order, expected);
}

TEST_F(StoreThreadTest, AJobIsTriedAgainWhileTheStoreIsAwayAndTheOthersWait) {
  ASSERT_THAT(thread->Start(In(seconds(10))), IsOk());
  switches->SetAway(true);
  Outcome first;
  Outcome second;
  Begin(Acquire(1), first);
  Begin(Acquire(2), second);
  EXPECT_TRUE(BecomesTrue([this] { return !thread->available(); }));
  EXPECT_EQ(thread->pending(), 2U);
  switches->SetAway(false);
  Finish();
  EXPECT_THAT(*first, IsOk());
  EXPECT_THAT(*second, IsOk());
  EXPECT_TRUE(thread->available());
}

TEST_F(StoreThreadTest, AStoreThatStaysAwayEndsTheJobAtItsDeadline) {
  switches->SetAway(true);
  const TimePoint start = clock.Now();
  EXPECT_THAT(Do(Acquire(1), milliseconds(60)), Fails(StatusCode::kDeadlineExceeded));
  EXPECT_GE(clock.Now() - start, milliseconds(60));
  EXPECT_LT(clock.Now() - start, seconds(5));
  EXPECT_TRUE(BecomesTrue([this] { return thread->pending() == 0; }));
}

TEST_F(StoreThreadTest, AJobWhoseDeadlineHasPassedIsNotBegun) {
  Occupy();
  bool ran = false;
  Outcome outcome;
  const auto note = [&ran](Store&) {
    ran = true;
    return absl::OkStatus();
  };
  Begin(note, outcome, milliseconds(20));
  EXPECT_TRUE(BecomesTrue([&] {
    io.restart();
    io.poll();
    return outcome.has_value();
  }));
  EXPECT_THAT(*outcome, Fails(StatusCode::kDeadlineExceeded));
  switches->SetHanging(false);
  Finish();
  EXPECT_THAT(*occupied, IsOk());
  EXPECT_TRUE(thread->Flush(In(seconds(10))));
  EXPECT_FALSE(ran);
}

TEST_F(StoreThreadTest, WhatIsTooMuchIsRefusedAtOnceAndRoomComesBack) {
  Occupy();
  Outcome fits;
  Begin(Acquire(2), fits, seconds(10), StoreThread::kBytesMax);
  EXPECT_FALSE(fits.has_value());
  Outcome too_much;
  Begin(Acquire(3), too_much, seconds(10), 1);
  ASSERT_TRUE(too_much.has_value());
  EXPECT_THAT(*too_much, Fails(StatusCode::kResourceExhausted));
  switches->SetHanging(false);
  Finish();
  EXPECT_THAT(*fits, IsOk());
  EXPECT_THAT(Do(Acquire(4)), IsOk());
}

TEST_F(StoreThreadTest, ACancelledCallerGoesAndItsJobStillHappens) {
  Occupy();
  Outcome dropped;
  bool ran = false;
  const auto note = [&ran](Store&) {
    ran = true;
    return absl::OkStatus();
  };
  Begin(note, dropped);
  tasks.CancelAll();
  Finish();
  EXPECT_THAT(*occupied, Fails(StatusCode::kCancelled));
  EXPECT_THAT(*dropped, Fails(StatusCode::kCancelled));
  switches->SetHanging(false);
  EXPECT_TRUE(thread->Flush(In(seconds(10))));
  EXPECT_TRUE(ran);
}

TEST_F(StoreThreadTest, AnAnswerToACallerThatHasGoneIsDropped) {
  const auto job = [](Store&) { return absl::OkStatus(); };
  for (int i = 0; i < 500; ++i) {
    Outcome outcome;
    Begin(job, outcome);
    if (i % 3 == 0) {
      tasks.CancelAll();
    }
    Finish();
    EXPECT_TRUE(outcome->ok() || absl::IsCancelled(*outcome));
  }
}

TEST_F(StoreThreadTest, AJobThatThrowsEndsAloneAndAsABug) {
  const auto throwing = [](Store&) -> absl::Status { throw std::runtime_error("out of range"); };
  EXPECT_THAT(Do(throwing), Fails(StatusCode::kInternal));
  EXPECT_THAT(Do(Acquire(1)), IsOk());
}

TEST_F(StoreThreadTest, FlushWaitsForWhatWasGivenAndRefusesMore) {
  Occupy();
  switches->SetHanging(false);
  EXPECT_TRUE(thread->Flush(In(seconds(10))));
  EXPECT_EQ(thread->pending(), 0U);
  Finish();
  EXPECT_THAT(*occupied, IsOk());
  EXPECT_THAT(Do(Acquire(2)), Fails(StatusCode::kUnavailable));
}

TEST_F(StoreThreadTest, FlushOfAStuckStoreEndsAtItsDeadlineAndTheThreadIsLeftBehind) {
  Occupy();
  tasks.CancelAll();
  Finish();
  const TimePoint start = clock.Now();
  EXPECT_FALSE(thread->Flush(In(milliseconds(50))));
  thread.reset();
  EXPECT_LT(clock.Now() - start, seconds(5));
}

TEST_F(StoreThreadTest, IsCountedWhileItIsInTheStore) {
  const std::int64_t before = library_calls.total();
  Occupy();
  EXPECT_EQ(library_calls.total(), before + 1);
  switches->SetHanging(false);
  Finish();
  EXPECT_TRUE(BecomesTrue([&] { return library_calls.total() == before; }));
}

TEST_F(StoreThreadTest, ItStopsInThePauseBeforeARetry) {
  switches->SetAway(true);
  Outcome outcome;
  Begin(Acquire(1), outcome, hours(1));
  EXPECT_TRUE(BecomesTrue([this] { return !thread->available(); }));
  const TimePoint start = clock.Now();
  thread.reset();
  EXPECT_LT(clock.Now() - start, seconds(5));
  Finish();
  ASSERT_TRUE(outcome.has_value());
  EXPECT_FALSE(outcome->ok());
}

double JobsObserved(prometheus::Registry& registry) {
  for (const prometheus::MetricFamily& family : registry.Collect()) {
    if (family.name == "voicebridge_worker_store_job_seconds") {
      return static_cast<double>(family.metric.front().histogram.sample_count);
    }
  }
  return -1;
}

TEST_F(StoreThreadTest, JobsAreMeasuredAndFailuresCountedByKind) {
  EXPECT_THAT(Do(Acquire(1)), IsOk());
  EXPECT_THAT(Do(Acquire(1)), IsOk());
  EXPECT_TRUE(BecomesTrue([&] { return JobsObserved(registry) == 2; }));
  EXPECT_EQ(metrics.CountOf(worker::StoreFailure::kUnavailable), 0);
  switches->SetAway(true);
  EXPECT_THAT(Do(Acquire(1), milliseconds(50)), Fails(StatusCode::kDeadlineExceeded));
  EXPECT_TRUE(BecomesTrue([this] { return metrics.CountOf(worker::StoreFailure::kLate) == 1; }));
  EXPECT_GE(metrics.CountOf(worker::StoreFailure::kUnavailable), 1) << "each attempt";
  switches->SetAway(false);
  switches->SetFailing(true);
  EXPECT_THAT(Do(Acquire(1)), Fails(StatusCode::kInternal));
  EXPECT_EQ(metrics.CountOf(worker::StoreFailure::kFailed), 1);
  Outcome refused;
  Begin(Acquire(1), refused, seconds(10), StoreThread::kBytesMax + 1);
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(metrics.CountOf(worker::StoreFailure::kRefused), 1);
}

TEST_F(StoreThreadTest, ItSaysAtTheStartWhatIsWrongWithTheStore) {
  StoreThread nowhere(worker::MakeStore("sqlite:/no/such/directory/store.db").value(), *logger,
                      metrics, library_calls);
  EXPECT_THAT(nowhere.Start(In(seconds(10))), Fails(StatusCode::kInvalidArgument));
  switches->SetAway(true);
  EXPECT_THAT(thread->Start(In(milliseconds(50))), Fails(StatusCode::kUnavailable));
  switches->SetAway(false);
  EXPECT_THAT(Do(Acquire(1)), IsOk()) << "a store that comes late is opened by the next job";
}

TEST_F(StoreThreadTest, AStartThatHangsEndsAtItsDeadline) {
  switches->SetHanging(true);
  EXPECT_THAT(thread->Start(In(milliseconds(50))), Fails(StatusCode::kUnavailable));
  switches->SetHanging(false);
}

}  // namespace
}  // namespace voicebridge::test

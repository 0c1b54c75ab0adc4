// What tests of a session's dealings with the store share: a store that can be away, hang or fail.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "bridge_worker/store/store_thread.h"
#include "common/core/live_tasks.h"
#include "common/observability/log.h"
#include "tests/component/async/real_time_fixture.h"
#include "tests/fakes/fake_store.h"

namespace voicebridge::worker {

class StoredTest : public voicebridge::test::RealTimeTest {
 protected:
  StoredTest()
      : logger(MakeNullLogger()),
        store(std::make_unique<voicebridge::test::FakeStore>(switches), *logger, store_metrics,
              library_calls) {
    EXPECT_TRUE(store.Start(In(seconds(10))).ok());
  }

  void TearDown() override {
    switches->SetHanging(false);
    EndTasks();
    EXPECT_TRUE(store.Flush(In(seconds(5))));
  }

  // What a call of the store gives, however the fake is set meanwhile.
  template <class Result>
  Result Ask(std::function<Result(Store&)> job) {
    return Await(store.Do(std::move(job), 0, In(seconds(5))));
  }

  const std::shared_ptr<voicebridge::test::FakeStoreSwitches> switches =
      std::make_shared<voicebridge::test::FakeStoreSwitches>();
  const std::unique_ptr<Logger> logger;
  prometheus::Registry store_registry;
  StoreMetrics store_metrics{store_registry};
  LiveTasks library_calls;
  StoreThread store;
  const SessionOwner owner{"sess_1", 1, "worker_1",
                           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"};
};

}  // namespace voicebridge::worker

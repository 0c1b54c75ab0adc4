// Names that are not answered: what waits for them, what does not, and what is left.
#include "common/websocket/name_resolver.h"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <netdb.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <optional>

#include "common/async/clock.h"
#include "common/async/task_group.h"

namespace {

constexpr const char* kHeldName = "held.test";

// Of the function below, which takes the place of the C library's in this program.
struct Held {
  std::atomic<bool> is_held = false;
  std::atomic<int> asked = 0;
};
constinit Held held;

}  // namespace

extern "C" int getaddrinfo(const char* host, const char* service, const addrinfo* hints,
                           addrinfo** found) {
  if (host != nullptr && std::string_view(host) == kHeldName) {
    ++held.asked;
    held.is_held.wait(true);
    host = "127.0.0.1";
  }
  static const auto real =
      reinterpret_cast<decltype(&getaddrinfo)>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  return real(host, service, hints, found);
}

namespace voicebridge::test {
namespace {

using Resolved = std::optional<absl::StatusOr<Endpoints>>;

class Names : public testing::Test {
 protected:
  Names() { NameResolver::Of(io_->get_executor()).CountIn(calls); }
  ~Names() override { Release(); }

  void Hold() {
    held.asked = 0;
    held.is_held = true;
  }
  void Release() {
    held.is_held = false;
    held.is_held.notify_all();
    RunWhile([] { return calls.total() > 0; });
  }

  static Awaitable<void> ResolveInto(std::string host, Duration budget, Resolved& resolved) {
    const Deadline deadline = Deadline::After(SystemClock().Now(), budget);
    NameResolver& resolver = NameResolver::Of(co_await net::this_coro::executor);
    resolved = co_await resolver.Resolve(std::move(host), "80", deadline);
  }
  void Resolve(std::string host, Resolved& resolved, Duration budget = seconds(20)) {
    tasks_->TrySpawn("resolve", ResolveInto(std::move(host), budget, resolved));
  }

  template <class Condition>
  void RunWhile(Condition condition) {
    const Deadline limit = Deadline::After(SystemClock().Now(), seconds(20));
    while (condition() && !limit.HasPassed(SystemClock().Now())) {
      io_->restart();
      io_->run_one_for(milliseconds(5));
    }
    EXPECT_FALSE(condition());
  }
  void RunUntilResolved(const Resolved& resolved) {
    RunWhile([&] { return !resolved.has_value(); });
  }

  static inline LiveTasks calls;  // Also of threads that were left behind.
  LiveTasks live_tasks_;
  std::optional<net::io_context> io_{std::in_place};
  std::optional<TaskGroup> tasks_{std::in_place, io_->get_executor(), live_tasks_,
                                  [](std::string_view task, const std::string& what) {
                                    ADD_FAILURE() << task << ": " << what;
                                  }};
};

TEST_F(Names, AnswersWithAddresses) {
  Resolved resolved;
  Resolve("localhost", resolved);
  RunUntilResolved(resolved);
  ASSERT_TRUE(resolved->ok()) << resolved->status();
  ASSERT_FALSE((*resolved)->empty());
  EXPECT_TRUE((*resolved)->front().address().is_loopback());
  EXPECT_EQ((*resolved)->front().port(), 80);
}

TEST_F(Names, ANameThatIsNotAnsweredHoldsUpNoOther) {
  Hold();
  Resolved slow;
  Resolve(kHeldName, slow);
  RunWhile([] { return held.asked == 0; });
  Resolved other;
  Resolve("localhost", other);
  RunUntilResolved(other);
  EXPECT_TRUE(other->ok()) << other->status();
  EXPECT_FALSE(slow.has_value());
  Release();
  RunUntilResolved(slow);
  EXPECT_TRUE(slow->ok()) << slow->status();
}

TEST_F(Names, TheWaitEndsAtItsDeadlineAndTheCallIsCountedUntilItComesBack) {
  Hold();
  Resolved resolved;
  Resolve(kHeldName, resolved, milliseconds(50));
  RunUntilResolved(resolved);
  EXPECT_EQ(resolved->status().code(), absl::StatusCode::kDeadlineExceeded) << resolved->status();
  EXPECT_EQ(calls.total(), 1);
  calls.ForEachKind([](std::string_view name, std::int64_t) { EXPECT_EQ(name, "getaddrinfo"); });
  Release();
  EXPECT_EQ(calls.total(), 0);
}

TEST_F(Names, WhoAsksForTheSameNameWaitsForTheSameAnswer) {
  Hold();
  std::array<Resolved, 100> all;
  for (Resolved& resolved : all) {
    Resolve(kHeldName, resolved);
  }
  RunWhile([] { return held.asked == 0; });
  Release();
  for (const Resolved& resolved : all) {
    RunUntilResolved(resolved);
    EXPECT_TRUE(resolved->ok()) << resolved->status();
  }
  EXPECT_EQ(held.asked, 1);
  Resolved later;
  Resolve(kHeldName, later);
  RunUntilResolved(later);
  EXPECT_EQ(held.asked, 2) << "an answer is not kept";
}

TEST_F(Names, AnAnswerMayComeWhenNobodyIsThereAnyMore) {
  Hold();
  Resolved resolved;
  Resolve(kHeldName, resolved, milliseconds(1));
  RunUntilResolved(resolved);
  RunWhile([this] { return !tasks_->empty(); });
  tasks_.reset();
  io_.reset();
  io_.emplace();
  Release();
}

}  // namespace
}  // namespace voicebridge::test

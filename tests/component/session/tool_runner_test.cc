// One call of a webhook: stored before and after, and not begun during a drain or without the
// store.
#include "bridge_worker/tools/tool_runner.h"

#include <gmock/gmock.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/component/session/stored_fixture.h"

namespace voicebridge::worker {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

// Answers at once, and lets the test act in the middle of a call.
class FakeWebhook final : public WebhookCaller {
 public:
  std::function<void()> during = [] {};
  std::vector<std::string> called;  // By call id.
  std::vector<std::string> traces;

  Awaitable<ToolResult> Call(v1::WebhookTool, ToolCall call, Deadline) override {
    called.push_back(call.call_id);
    traces.push_back(call.traceparent);
    during();
    ToolResult result;
    result.outcome = ToolResult::Outcome::kAnswered;
    result.output = R"({"found":1})";
    co_return result;
  }
};

class ToolRunner : public StoredTest {
 protected:
  ToolRunner()
      : lost(registry), metrics(registry), environment{store,    webhook, clock,  *logger,
                                                       draining, lost,    metrics} {
    tool.set_name("lookup");
    tool.mutable_webhook()->set_url("https://example.org/hook");
    EXPECT_TRUE(Ask<absl::Status>([owner = owner](Store& opened) {
                  return opened.AcquireSession(owner, "interview");
                }).ok());
  }

  std::string Run() {
    ToolCallStart call{"call_1", "lookup", "{}"};
    return Await(RunTool(environment, owner, tool, std::move(call)));
  }

  // As whoever takes the session over would be told.
  ToolCallRecord Known() {
    return Ask<absl::StatusOr<ToolCallRecord>>([owner = owner](Store& opened) {
             return opened.StartToolCall(owner, {"call_1", "lookup", "{}"});
           })
        .value();
  }

  prometheus::Registry registry;
  LostRecords lost;
  ToolMetrics metrics;
  std::atomic<bool> draining = false;
  FakeWebhook webhook;
  ToolEnvironment environment;
  v1::Tool tool;
};

TEST_F(ToolRunner, CallsOnceAndStoresTheOutput) {
  EXPECT_EQ(Run(), R"({"found":1})");
  EXPECT_EQ(Run(), R"({"found":1})") << "from the store";
  EXPECT_THAT(webhook.called, ElementsAre("call_1"));
  EXPECT_EQ(Known().output, R"({"found":1})");
}

// By outcome, of calls that were made or refused.
std::map<std::string, std::uint64_t> CallsOf(prometheus::Registry& registry) {
  std::map<std::string, std::uint64_t> calls;
  for (const prometheus::MetricFamily& family : registry.Collect()) {
    for (const prometheus::ClientMetric& metric : family.metric) {
      if (family.name == "voicebridge_worker_tool_call_seconds" &&
          metric.histogram.sample_count > 0) {
        calls[metric.label.front().value] = metric.histogram.sample_count;
      }
    }
  }
  return calls;
}

TEST_F(ToolRunner, CountsCallsByOutcomeAndHandsTheTraceOn) {
  Run();
  EXPECT_THAT(CallsOf(registry), ElementsAre(Pair("answered", 1)));
  EXPECT_THAT(webhook.traces, ElementsAre(owner.traceparent));
  draining = true;
  Run();
  EXPECT_THAT(CallsOf(registry), ElementsAre(Pair("answered", 1), Pair("not_started", 1)));
}

TEST_F(ToolRunner, DuringADrainStartsNothingAndStoresNothing) {
  draining = true;
  EXPECT_THAT(Run(), HasSubstr("going away"));
  EXPECT_THAT(webhook.called, IsEmpty());
  EXPECT_TRUE(Known().is_new) << "another worker may start it";
}

TEST_F(ToolRunner, FinishesACallThatTheDrainFindsUnderWay) {
  webhook.during = [this] { draining = true; };
  EXPECT_EQ(Run(), R"({"found":1})");
  EXPECT_EQ(Known().output, R"({"found":1})");
}

TEST_F(ToolRunner, StartsAgainOnceTheDrainIsCalledOff) {
  draining = true;
  Run();
  draining = false;
  EXPECT_EQ(Run(), R"({"found":1})");
}

TEST_F(ToolRunner, CallsNothingThatTheStoreHasNotConfirmed) {
  switches->SetFailing(true);
  EXPECT_THAT(Run(), HasSubstr("could not be started"));
  EXPECT_THAT(webhook.called, IsEmpty());
  EXPECT_EQ(lost.CountOf(RecordKind::kToolOutput), 0) << "there was none";
}

TEST_F(ToolRunner, AnOutputThatCannotBeStoredIsUsedAndCounted) {
  webhook.during = [this] { switches->SetFailing(true); };
  EXPECT_EQ(Run(), R"({"found":1})");
  EXPECT_EQ(lost.CountOf(RecordKind::kToolOutput), 1);
}

TEST_F(ToolRunner, ACallWhoseOutcomeIsUnknownIsMadeAgainOnlyIfItMayBe) {
  Known();  // Started by a process that is gone.
  EXPECT_THAT(Run(), HasSubstr("unknown"));
  EXPECT_THAT(webhook.called, IsEmpty());
  tool.mutable_webhook()->set_idempotent(true);
  EXPECT_EQ(Run(), R"({"found":1})");
  EXPECT_THAT(webhook.called, ElementsAre("call_1"));
}

}  // namespace
}  // namespace voicebridge::worker

// The contract of the store: a tool call is started once.
#include "bridge_worker/store/sql_store.h"
#include "tests/component/store/lossy_database.h"
#include "tests/component/store/store_fixture.h"

namespace voicebridge::test {
namespace {

using absl::StatusCode;
using ::testing::ElementsAre;
using worker::SessionOwner;
using worker::SqlRow;
using worker::SqlStore;
using worker::ToolCallRecord;
using worker::ToolCallStart;

class ToolCallContract : public StoreContract {
 protected:
  void SetUp() override {
    StoreContract::SetUp();
    ASSERT_THAT(store->AcquireSession(owner, "interview"), IsOk());
  }

  const ToolCallStart call{"call_1", "lookup", R"({"word":"x"})"};
};

TEST_P(ToolCallContract, OnlyTheFirstStartIsNew) {
  const auto first = store->StartToolCall(owner, call);
  ASSERT_THAT(first, IsOk());
  EXPECT_TRUE(first->is_new);
  EXPECT_EQ(first->output, std::nullopt);
  const auto second = store->StartToolCall(owner, {"call_1", "other", "{}"});
  ASSERT_THAT(second, IsOk());
  EXPECT_FALSE(second->is_new);
  EXPECT_EQ(second->output, std::nullopt);
  EXPECT_THAT(Rows("SELECT name, arguments_json FROM tool_calls"),
              ElementsAre(SqlRow{"lookup", R"({"word":"x"})"}));
}

TEST_P(ToolCallContract, ItsOutputIsToldToWhoeverStartsItAgain) {
  ASSERT_THAT(store->StartToolCall(owner, call), IsOk());
  ASSERT_THAT(store->FinishToolCall(owner, "call_1", "the answer"), IsOk());
  ASSERT_THAT(store->AcquireSession(successor, "interview"), IsOk());
  const auto again = store->StartToolCall(successor, call);
  ASSERT_THAT(again, IsOk());
  EXPECT_FALSE(again->is_new);
  EXPECT_EQ(again->output, "the answer");
}

TEST_P(ToolCallContract, ItsFirstOutputStays) {
  ASSERT_THAT(store->StartToolCall(owner, call), IsOk());
  ASSERT_THAT(store->FinishToolCall(owner, "call_1", ""), IsOk());
  EXPECT_THAT(store->FinishToolCall(owner, "call_1", "second"), IsOk());
  EXPECT_EQ(store->StartToolCall(owner, call)->output, "");
}

TEST_P(ToolCallContract, AnOutputNeedsAStart) {
  EXPECT_THAT(store->FinishToolCall(owner, "call_1", "{}"), Fails(StatusCode::kNotFound));
}

TEST_P(ToolCallContract, ItIsKnownByItsSessionAndItsId) {
  const SessionOwner other{"sess_2", 1, "worker_a"};
  ASSERT_THAT(store->AcquireSession(other, "interview"), IsOk());
  EXPECT_TRUE(store->StartToolCall(owner, call)->is_new);
  EXPECT_TRUE(store->StartToolCall(other, call)->is_new);
  EXPECT_TRUE(store->StartToolCall(owner, {"call_2", "lookup", "{}"})->is_new);
}

TEST_P(ToolCallContract, AStartWhoseAnswerWasLostIsStillNewForItsCaller) {
  LossyDatabase::Faults faults;
  SqlStore lossy(std::make_unique<LossyDatabase>(database->Connect(), faults));
  faults.lose_commit_answer = true;
  ASSERT_THAT(lossy.StartToolCall(owner, call), Fails(StatusCode::kUnavailable));
  EXPECT_EQ(Rows("SELECT call_id FROM tool_calls").size(), 1U);
  EXPECT_TRUE(lossy.StartToolCall(owner, call)->is_new);
  EXPECT_FALSE(lossy.StartToolCall(owner, call)->is_new);
}

TEST_P(ToolCallContract, AStartWhoseAnswerWasLostIsNotNewForAnybodyElse) {
  LossyDatabase::Faults faults;
  SqlStore lossy(std::make_unique<LossyDatabase>(database->Connect(), faults));
  faults.lose_commit_answer = true;
  ASSERT_THAT(lossy.StartToolCall(owner, call), Fails(StatusCode::kUnavailable));
  EXPECT_FALSE(store->StartToolCall(owner, call)->is_new);
}

INSTANTIATE_TEST_SUITE_P(Store, ToolCallContract,
                         ::testing::Values(Backend{"Sqlite", NewSqliteFile},
                                           Backend{"Postgres", NewPostgresSchema}),
                         BackendName);

}  // namespace
}  // namespace voicebridge::test

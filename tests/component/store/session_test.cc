// The contract of the store: who owns a session, its items, its end.
#include "bridge_worker/store/sql_store.h"
#include "tests/component/store/lossy_database.h"
#include "tests/component/store/store_fixture.h"

namespace voicebridge::test {
namespace {

using absl::StatusCode;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using worker::AssessmentRecord;
using worker::SessionOwner;
using worker::SqlCell;
using worker::SqlRow;
using worker::SqlStore;
using worker::StoredItem;
using SessionContract = StoreContract;

constexpr char kItems[] =
    "SELECT item_id, previous_item_id, item_json, transcript FROM items "
    "ORDER BY item_id";

StoredItem Item(const std::string& id, const std::string& transcript) {
  return StoredItem{id, "before_" + id, R"({"id":")" + id + R"("})", transcript, 2};
}

TEST_P(SessionContract, AnUnknownSessionIsCreatedAndItsGrantMayBeRepeated) {
  EXPECT_THAT(store->AcquireSession(owner, "interview"), IsOk());
  EXPECT_THAT(store->AcquireSession(owner, "interview"), IsOk());
  EXPECT_THAT(Rows("SELECT id, profile, epoch, worker_id FROM sessions"),
              ElementsAre(SqlRow{"sess_1", "interview", "1", "worker_a"}));
}

TEST_P(SessionContract, AHigherEpochTakesOverEvenAcrossAGapAndNoOtherDoes) {
  ASSERT_THAT(store->AcquireSession({"sess_1", 3, "worker_a"}, "interview"), IsOk());
  EXPECT_THAT(store->AcquireSession({"sess_1", 3, "worker_b"}, "interview"),
              Fails(StatusCode::kAborted));
  EXPECT_THAT(store->AcquireSession({"sess_1", 2, "worker_a"}, "interview"),
              Fails(StatusCode::kAborted));
  EXPECT_THAT(store->AcquireSession({"sess_1", 7, "worker_b"}, "interview"), IsOk());
  EXPECT_THAT(store->AcquireSession({"sess_1", 3, "worker_a"}, "interview"),
              Fails(StatusCode::kAborted));
  EXPECT_THAT(Rows("SELECT epoch, worker_id FROM sessions"), ElementsAre(SqlRow{"7", "worker_b"}));
}

TEST_P(SessionContract, AnEpochThatNoDatabaseHoldsIsRefused) {
  const SessionOwner huge{"sess_1", ~std::uint64_t{0}, "worker_a"};
  EXPECT_THAT(store->AcquireSession(huge, "interview"), Fails(StatusCode::kInvalidArgument));
  EXPECT_THAT(store->EndSession(huge, "draining"), Fails(StatusCode::kInvalidArgument));
}

TEST_P(SessionContract, NoWriteOfAFormerOwnerIsMade) {
  ASSERT_THAT(store->AcquireSession(owner, "interview"), IsOk());
  ASSERT_THAT(store->StartToolCall(owner, {"call_1", "tool", "{}"}), IsOk());
  ASSERT_THAT(store->AcquireSession(successor, "interview"), IsOk());
  const SessionOwner impostor{"sess_1", 2, "worker_c"};
  for (const SessionOwner& former : {owner, impostor}) {
    EXPECT_THAT(store->WriteItems(former, {Item("item_1", "x")}, {}), Fails(StatusCode::kAborted));
    EXPECT_THAT(store->StartToolCall(former, {"call_2", "tool", "{}"}),
                Fails(StatusCode::kAborted));
    EXPECT_THAT(store->FinishToolCall(former, "call_1", "late"), Fails(StatusCode::kAborted));
    EXPECT_THAT(store->CreateAssessment(former, AssessmentRecord(), Duration::zero()),
                Fails(StatusCode::kAborted));
    EXPECT_THAT(store->EndSession(former, "late"), Fails(StatusCode::kAborted));
  }
  EXPECT_THAT(Rows(kItems), IsEmpty());
  EXPECT_THAT(Rows("SELECT id FROM assessments"), IsEmpty());
  EXPECT_THAT(Rows("SELECT call_id, output FROM tool_calls"),
              ElementsAre(SqlRow{"call_1", SqlCell()}));
  EXPECT_THAT(Rows("SELECT end_reason FROM sessions"), ElementsAre(SqlRow{SqlCell()}));
}

TEST_P(SessionContract, AWriteToASessionThatIsNotThereSaysSo) {
  EXPECT_THAT(store->WriteItems(owner, {Item("item_1", "x")}, {}), Fails(StatusCode::kNotFound));
  EXPECT_THAT(store->StartToolCall(owner, {"call_1", "tool", "{}"}), Fails(StatusCode::kNotFound));
  EXPECT_THAT(store->FinishToolCall(owner, "call_1", "{}"), Fails(StatusCode::kNotFound));
  EXPECT_THAT(store->CreateAssessment(owner, AssessmentRecord(), Duration::zero()),
              Fails(StatusCode::kNotFound));
  EXPECT_THAT(store->EndSession(owner, "draining"), Fails(StatusCode::kNotFound));
  EXPECT_THAT(store->DeleteSession("sess_1"), Fails(StatusCode::kNotFound));
}

TEST_P(SessionContract, AnEndIsRecordedAndForgottenWhenTheSessionGoesOn) {
  ASSERT_THAT(store->AcquireSession(owner, "interview"), IsOk());
  ASSERT_THAT(store->EndSession(owner, "draining"), IsOk());
  ASSERT_THAT(store->EndSession(owner, "draining"), IsOk());
  ASSERT_THAT(store->AcquireSession(owner, "interview"), IsOk());
  EXPECT_THAT(Rows("SELECT end_reason FROM sessions"), ElementsAre(SqlRow{"draining"}));
  ASSERT_THAT(store->AcquireSession(successor, "interview"), IsOk());
  EXPECT_THAT(Rows("SELECT end_reason FROM sessions"), ElementsAre(SqlRow{SqlCell()}));
}

TEST_P(SessionContract, EndsOfSeveralSessionsAreWrittenTogetherAndEachHasItsOutcome) {
  const SessionOwner other{"sess_2", 1, "worker_a"};
  ASSERT_THAT(store->AcquireSession(successor, "interview"), IsOk());
  ASSERT_THAT(store->AcquireSession(other, "interview"), IsOk());
  EXPECT_THAT(store->EndSessions({{owner, "late"},
                                  {{"sess_3", 1, "worker_a"}, "unknown"},
                                  {{"sess_2", ~std::uint64_t{0}, "worker_a"}, "huge"},
                                  {other, "draining"},
                                  {successor, "client_closed"}}),
              ElementsAre(Fails(StatusCode::kAborted), Fails(StatusCode::kNotFound),
                          Fails(StatusCode::kInvalidArgument), IsOk(), IsOk()));
  EXPECT_THAT(Rows("SELECT id, end_reason FROM sessions ORDER BY id"),
              ElementsAre(SqlRow{"sess_1", "client_closed"}, SqlRow{"sess_2", "draining"}));
}

TEST_P(SessionContract, ItemsAreInsertedReplacedAndRemovedById) {
  ASSERT_THAT(store->AcquireSession(owner, "interview"), IsOk());
  ASSERT_THAT(store->WriteItems(owner, {Item("item_1", "one"), Item("item_2", "two")}, {}), IsOk());
  ASSERT_THAT(store->WriteItems(owner, {Item("item_3", "three"), Item("item_1", "uno")},
                                {"item_2", "item_unknown"}),
              IsOk());
  EXPECT_THAT(Rows(kItems),
              ElementsAre(SqlRow{"item_1", "before_item_1", R"({"id":"item_1"})", "uno"},
                          SqlRow{"item_3", "before_item_3", R"({"id":"item_3"})", "three"}));
}

TEST_P(SessionContract, AWriteOfItemsThatFailsInItsMiddleChangesNothing) {
  ASSERT_THAT(store->AcquireSession(owner, "interview"), IsOk());
  LossyDatabase::Faults faults;
  SqlStore lossy(std::make_unique<LossyDatabase>(database->Connect(), faults));
  faults.fail_statement = 3;  // The owner, the first item, and then the second.
  EXPECT_THAT(lossy.WriteItems(owner, {Item("item_1", "one"), Item("item_2", "two")}, {}),
              Fails(StatusCode::kUnavailable));
  EXPECT_THAT(Rows(kItems), IsEmpty());
  EXPECT_THAT(lossy.WriteItems(owner, {Item("item_1", "one"), Item("item_2", "two")}, {}), IsOk());
  EXPECT_EQ(Rows(kItems).size(), 2U);
}

TEST_P(SessionContract, TextComesBackAsItWasAndWhatCannotBeTextIsReplaced) {
  ASSERT_THAT(store->AcquireSession(owner, "interview"), IsOk());
  const std::string hangul = "안녕하세요 '; DROP TABLE items; -- \\ $1 \"\n\t🙂";
  const std::string large(300'000, 'x');
  const std::string broken("a\0b\xFFz\xE2\x82", 7);
  ASSERT_THAT(
      store->WriteItems(
          owner, {Item("item_1", hangul), Item("item_2", large), Item("item_3", broken)}, {}),
      IsOk());
  const std::vector<SqlRow> rows = Rows(kItems);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0][3], hangul);
  EXPECT_EQ(rows[1][3], large);
  EXPECT_EQ(rows[2][3], "a\uFFFDb\uFFFDz\uFFFD\uFFFD");
}

TEST_P(SessionContract, ADeletedSessionTakesAllThatBelongsToItAlong) {
  CreateRunning(owner);
  const SessionOwner other{"sess_2", 1, "worker_a"};
  CreateRunning(other);
  ASSERT_THAT(store->WriteItems(owner, {Item("item_1", "one")}, {}), IsOk());
  ASSERT_THAT(store->StartToolCall(owner, {"call_1", "tool", "{}"}), IsOk());
  ASSERT_THAT(store->DeleteSession("sess_1"), IsOk());
  EXPECT_THAT(Rows("SELECT id FROM sessions"), ElementsAre(SqlRow{"sess_2"}));
  EXPECT_THAT(Rows("SELECT session_id FROM assessments"), ElementsAre(SqlRow{"sess_2"}));
  EXPECT_THAT(Rows("SELECT session_id FROM items UNION SELECT session_id FROM tool_calls"),
              IsEmpty());
  EXPECT_THAT(store->CompleteAssessment("assess_sess_1", 1, "{}"), Fails(StatusCode::kNotFound));
  EXPECT_THAT(store->WriteItems(owner, {Item("item_1", "x")}, {}), Fails(StatusCode::kNotFound));
  EXPECT_THAT(store->DeleteSession("sess_1"), Fails(StatusCode::kNotFound));
}

TEST_P(SessionContract, RetentionTakesOldSessionsButNoneWithAnAssessmentToCome) {
  for (const char* id : {"quiet", "young"}) {
    ASSERT_THAT(store->AcquireSession({id, 1, "worker_a"}, "assistant"), IsOk());
  }
  Create({"pending", 1, "worker_a"});
  CreateRunning({"running", 1, "worker_a"});
  const AssessmentRecord done = CreateRunning({"done", 1, "worker_a"});
  ASSERT_THAT(store->CompleteAssessment(done.assessment_id, done.claim, "{}"), IsOk());
  Change("UPDATE sessions SET written_ms = written_ms - 3600000 WHERE id <> 'young'");

  EXPECT_EQ(store->DeleteOlderThan(hours(2)).value(), 0U);
  EXPECT_EQ(store->DeleteOlderThan(seconds(3540)).value(), 2U);
  EXPECT_THAT(Rows("SELECT id FROM sessions ORDER BY id"),
              ElementsAre(SqlRow{"pending"}, SqlRow{"running"}, SqlRow{"young"}));
}

TEST_P(SessionContract, RetentionTakesSoManyAtOnceAndTheRestNextTime) {
  std::string script;
  for (std::size_t i = 0; i < worker::Store::kDeletedMax + 1; ++i) {
    script +=
        "INSERT INTO sessions (id, profile, epoch, worker_id, created_ms, written_ms) "
        "VALUES ('" +
        std::to_string(i) + "', 'assistant', 1, 'worker_a', 0, 0);";
  }
  Change(script);
  EXPECT_EQ(store->DeleteOlderThan(hours(1)).value(), worker::Store::kDeletedMax);
  EXPECT_EQ(store->DeleteOlderThan(hours(1)).value(), 1U);
}

TEST_P(SessionContract, EveryWriteMakesASessionYoungAgain) {
  const AssessmentRecord running = CreateRunning(owner);
  const auto age = [this] { Change("UPDATE sessions SET written_ms = 0"); };
  const auto is_young = [this] {
    return Rows("SELECT 1 FROM sessions WHERE written_ms > 0").size() == 1;
  };
  age();
  EXPECT_THAT(store->WriteItems(owner, {}, {}), IsOk());
  EXPECT_TRUE(is_young());
  age();
  EXPECT_THAT(store->FailAssessment(running.assessment_id, running.claim, "timeout"), IsOk());
  EXPECT_TRUE(is_young());
  age();
  EXPECT_THAT(store->RetryAssessment("sess_1"), IsOk());
  EXPECT_TRUE(is_young());
  age();
  EXPECT_THAT(store->AcquireSession(successor, "interview"), IsOk());
  EXPECT_TRUE(is_young());
}

TEST_P(SessionContract, WhatWasWrittenIsThereForAConnectionThatComesLater) {
  ASSERT_THAT(store->AcquireSession(owner, "interview"), IsOk());
  ASSERT_THAT(store->WriteItems(owner, {Item("item_1", "one")}, {}), IsOk());
  store.reset();
  direct.reset();
  store = NewStore();
  EXPECT_THAT(store->AcquireSession(owner, "interview"), IsOk());
  EXPECT_THAT(store->AcquireSession({"sess_1", 1, "worker_b"}, "interview"),
              Fails(StatusCode::kAborted));
}

INSTANTIATE_TEST_SUITE_P(Store, SessionContract,
                         ::testing::Values(Backend{"Sqlite", NewSqliteFile},
                                           Backend{"Postgres", NewPostgresSchema}),
                         BackendName);

}  // namespace
}  // namespace voicebridge::test

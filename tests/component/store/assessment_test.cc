// The contract of the store: an assessment has one id, one claim that counts, and one result.
#include "bridge_worker/store/sql_store.h"
#include "tests/component/store/lossy_database.h"
#include "tests/component/store/store_fixture.h"

namespace voicebridge::test {
namespace {

using absl::StatusCode;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using worker::AssessmentRecord;
using worker::AssessmentState;
using worker::SessionOwner;
using worker::SqlStore;
using worker::Store;
using AssessmentContract = StoreContract;

constexpr char kId[] = "assess_sess_1";

std::vector<std::string> SessionsOf(const std::vector<AssessmentRecord>& records) {
  std::vector<std::string> sessions;
  for (const AssessmentRecord& record : records) {
    sessions.push_back(record.session_id);
  }
  return sessions;
}

void ExpectLost(Store& store, std::uint64_t claim) {
  EXPECT_THAT(store.RenewLease(kId, claim, hours(1)), Fails(StatusCode::kAborted));
  EXPECT_THAT(store.CompleteAssessment(kId, claim, R"({"stale":1})"), Fails(StatusCode::kAborted));
  EXPECT_THAT(store.FailAssessment(kId, claim, "stale"), Fails(StatusCode::kAborted));
  EXPECT_THAT(store.ReleaseAssessment(kId, claim), Fails(StatusCode::kAborted));
}

TEST_P(AssessmentContract, IsStoredAsPendingOncePerSession) {
  const AssessmentRecord created = Create(owner);
  EXPECT_EQ(created.assessment_id, kId);
  EXPECT_EQ(created.session_id, "sess_1");
  EXPECT_EQ(created.profile, "interview");
  EXPECT_EQ(created.state, AssessmentState::kPending);
  EXPECT_EQ(created.claim, 0U);
  EXPECT_EQ(created.request_json, R"({"reason":"ceiling"})");

  AssessmentRecord second;
  second.assessment_id = "assess_other";
  second.request_json = "{}";
  const auto kept = store->CreateAssessment(owner, second, Duration::zero());
  ASSERT_THAT(kept, IsOk());
  EXPECT_EQ(kept->assessment_id, kId);
  EXPECT_EQ(kept->request_json, R"({"reason":"ceiling"})");
  EXPECT_EQ(Rows("SELECT id FROM assessments").size(), 1U);
}

TEST_P(AssessmentContract, OneThatIsReservedIsNotTakenUpAndItsOwnerMayReplaceItsRequest) {
  const AssessmentRecord reserved = Create(owner, hours(1), R"({"so":"far"})");
  EXPECT_EQ(reserved.state, AssessmentState::kPending);
  EXPECT_THAT(Claim(), IsEmpty());
  EXPECT_THAT(Claim(hours(1), 1, kId), IsEmpty());
  EXPECT_EQ(Create(owner, hours(1), R"({"so":"further"})").request_json, R"({"so":"further"})");
  EXPECT_THAT(Claim(), IsEmpty());
  EXPECT_EQ(Create(owner, Duration::zero(), R"({"all":1})").request_json, R"({"all":1})");
  const AssessmentRecord taken = Claim().at(0);
  EXPECT_EQ(taken.claim, 1U);
  EXPECT_EQ(taken.request_json, R"({"all":1})");
}

TEST_P(AssessmentContract, AReservationThatRanOutIsTakenUpAndThenNothingReplacesItsRequest) {
  Create(owner, milliseconds(20), R"({"so":"far"})");
  EXPECT_TRUE(BecomesTrue([this] { return !Claim().empty(); }));
  const AssessmentRecord late = Create(owner, Duration::zero(), R"({"all":1})");
  EXPECT_EQ(late.state, AssessmentState::kRunning);
  EXPECT_EQ(late.request_json, R"({"so":"far"})");
  ASSERT_THAT(store->ReleaseAssessment(kId, 1), IsOk());
  EXPECT_EQ(Create(owner, hours(1), R"({"all":1})").request_json, R"({"so":"far"})");
  EXPECT_EQ(Claim().size(), 1U) << "it is not reserved again either";
}

TEST_P(AssessmentContract, IsFoundByItsSession) {
  EXPECT_THAT(store->GetAssessment("sess_1"), Fails(StatusCode::kNotFound));
  Create(owner);
  EXPECT_EQ(store->GetAssessment("sess_1")->assessment_id, kId);
}

TEST_P(AssessmentContract, TheOldestAreTakenFirstAndNoMoreThanAsked) {
  for (const char* session : {"c", "a", "b"}) {
    Create({session, 1, "worker_a"});
  }
  EXPECT_THAT(SessionsOf(Claim(hours(1), 2)), ElementsAre("c", "a"));
  EXPECT_THAT(SessionsOf(Claim(hours(1), 2)), ElementsAre("b"));
  EXPECT_THAT(Claim(hours(1), 2), IsEmpty());
}

TEST_P(AssessmentContract, OneCanBeTakenByItsId) {
  Create(owner);
  Create({"sess_2", 1, "worker_a"});
  EXPECT_THAT(SessionsOf(Claim(hours(1), 10, "assess_sess_2")), ElementsAre("sess_2"));
  EXPECT_THAT(Claim(hours(1), 10, "assess_sess_2"), IsEmpty());
  EXPECT_THAT(Claim(hours(1), 10, "assess_unknown"), IsEmpty());
}

TEST_P(AssessmentContract, EachTakeUpHasAHigherClaim) {
  const AssessmentRecord first = CreateRunning(owner);
  EXPECT_EQ(first.state, AssessmentState::kRunning);
  EXPECT_EQ(first.claim, 1U);
  ASSERT_THAT(store->ReleaseAssessment(kId, first.claim), IsOk());
  EXPECT_EQ(store->GetAssessment("sess_1")->state, AssessmentState::kPending);
  EXPECT_EQ(Claim().at(0).claim, 2U);
  ExpectLost(*store, first.claim);
}

TEST_P(AssessmentContract, ALeaseThatRanOutIsTakenUpAndItsHolderIsOut) {
  Create(owner);
  ASSERT_EQ(Claim(milliseconds(20)).size(), 1U);
  std::vector<AssessmentRecord> taken;
  EXPECT_TRUE(BecomesTrue([&] {
    taken = Claim(hours(1));
    return !taken.empty();
  }));
  EXPECT_EQ(taken.at(0).claim, 2U);
  ExpectLost(*store, 1);
  EXPECT_THAT(store->CompleteAssessment(kId, 2, R"({"good":1})"), IsOk());
  EXPECT_EQ(store->GetAssessment("sess_1")->report_json, R"({"good":1})");
}

TEST_P(AssessmentContract, ALeaseThatIsRenewedIsKept) {
  Create(owner);
  ASSERT_EQ(Claim(milliseconds(1)).size(), 1U);
  ASSERT_THAT(store->RenewLease(kId, 1, hours(1)), IsOk());
  EXPECT_THAT(Claim(), IsEmpty());
  ASSERT_THAT(store->RenewLease(kId, 1, milliseconds(0)), IsOk());
  EXPECT_TRUE(BecomesTrue([this] { return !Claim().empty(); }));
}

TEST_P(AssessmentContract, AResultIsFinalAndOnlyItsOwnWriterMayRepeatIt) {
  CreateRunning(owner);
  ASSERT_THAT(store->CompleteAssessment(kId, 1, R"({"level":"B1"})"), IsOk());
  EXPECT_THAT(store->CompleteAssessment(kId, 1, R"({"level":"B1"})"), IsOk());
  EXPECT_THAT(store->CompleteAssessment(kId, 0, R"({"level":"B1"})"), Fails(StatusCode::kAborted));
  ExpectLost(*store, 1);
  EXPECT_THAT(Claim(), IsEmpty());
  const auto stored = store->GetAssessment("sess_1");
  ASSERT_THAT(stored, IsOk());
  EXPECT_EQ(stored->state, AssessmentState::kCompleted);
  EXPECT_EQ(stored->report_json, R"({"level":"B1"})");
}

TEST_P(AssessmentContract, AResultWhoseAnswerWasLostIsWrittenAgainWithoutHarm) {
  CreateRunning(owner);
  LossyDatabase::Faults faults;
  SqlStore lossy(std::make_unique<LossyDatabase>(database->Connect(), faults));
  faults.lose_commit_answer = true;
  ASSERT_THAT(lossy.CompleteAssessment(kId, 1, "{}"), Fails(StatusCode::kUnavailable));
  EXPECT_THAT(lossy.CompleteAssessment(kId, 1, "{}"), IsOk());
}

TEST_P(AssessmentContract, AFailureCanBeTriedAgainWithTheSameInput) {
  EXPECT_THAT(store->RetryAssessment("sess_1"), Fails(StatusCode::kNotFound));
  CreateRunning(owner);
  EXPECT_THAT(store->RetryAssessment("sess_1"), Fails(StatusCode::kFailedPrecondition));
  ASSERT_THAT(store->FailAssessment(kId, 1, "model_refused"), IsOk());
  EXPECT_EQ(store->GetAssessment("sess_1")->failure_reason, "model_refused");
  EXPECT_THAT(Claim(), IsEmpty());

  const auto retried = store->RetryAssessment("sess_1");
  ASSERT_THAT(retried, IsOk());
  EXPECT_EQ(retried->state, AssessmentState::kPending);
  EXPECT_EQ(retried->failure_reason, "");
  EXPECT_THAT(store->RetryAssessment("sess_1"), Fails(StatusCode::kFailedPrecondition));
  const AssessmentRecord taken = Claim().at(0);
  EXPECT_EQ(taken.claim, 2U);
  EXPECT_EQ(taken.request_json, R"({"reason":"ceiling"})");
  ExpectLost(*store, 1);
}

TEST_P(AssessmentContract, ItsWritersNeedNoSession) {
  CreateRunning(owner);
  ASSERT_THAT(store->EndSession(owner, "client_closed"), IsOk());
  ASSERT_THAT(store->AcquireSession(successor, "interview"), IsOk());
  EXPECT_THAT(store->CompleteAssessment(kId, 1, "{}"), IsOk());
}

TEST_P(AssessmentContract, OneThatIsNotThereIsNotFound) {
  EXPECT_THAT(store->RenewLease("assess_x", 1, hours(1)), Fails(StatusCode::kNotFound));
  EXPECT_THAT(store->CompleteAssessment("assess_x", 1, "{}"), Fails(StatusCode::kNotFound));
  EXPECT_THAT(store->FailAssessment("assess_x", 1, "x"), Fails(StatusCode::kNotFound));
  EXPECT_THAT(store->ReleaseAssessment("assess_x", 1), Fails(StatusCode::kNotFound));
}

INSTANTIATE_TEST_SUITE_P(Store, AssessmentContract,
                         ::testing::Values(Backend{"Sqlite", NewSqliteFile},
                                           Backend{"Postgres", NewPostgresSchema}),
                         BackendName);

}  // namespace
}  // namespace voicebridge::test

// What only PostgreSQL does: it is elsewhere, and can be lost.
#include <signal.h>

#include "bridge_worker/store/postgres_database.h"
#include "bridge_worker/store/sql_store.h"
#include "common/async/clock.h"
#include "tests/component/store/postgres_server.h"
#include "tests/component/store/store_fixture.h"

namespace voicebridge::test {
namespace {

using absl::StatusCode;
using ::testing::HasSubstr;
using ::testing::Not;
using worker::AssessmentRecord;
using worker::ParsePostgresUrl;
using worker::PostgresConnection;
using worker::PostgresDatabase;
using worker::PostgresTarget;
using worker::SessionOwner;
using worker::SqlStore;

class Postgres : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(store.Open(), IsOk());
    ASSERT_THAT(store.AcquireSession(owner, "interview"), IsOk());
  }

  static PostgresTarget Target(const std::string& name) {
    return ParsePostgresUrl(PostgresServer::Shared().Url() + "&application_name=" + name).value();
  }

  std::unique_ptr<PostgresConnection> Operator() {
    return PostgresConnection::Open(Target("operator")).value();
  }

  pid_t ServerProcessOf(const std::string& name) {
    const auto found = Operator()->Query(
        "SELECT pid FROM pg_stat_activity WHERE application_name = '" + name + "'");
    EXPECT_EQ(found->rows.size(), 1U);
    return std::stoi(found->rows.at(0).at(0).value());
  }

  const std::unique_ptr<TestDatabase> database = NewPostgresSchema();
  SqlStore store{std::make_unique<PostgresDatabase>(Target("store"))};
  const SessionOwner owner{"sess_1", 1, "worker_a"};
};

TEST_F(Postgres, AConnectionThatWasKilledWhileItWasIdleIsNotNoticed) {
  ASSERT_THAT(Operator()->Query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                                "WHERE application_name = 'store'"),
              IsOk());
  EXPECT_THAT(store.AcquireSession(owner, "interview"), IsOk());
}

TEST_F(Postgres, AReadOverAKilledConnectionIsUnavailableOnce) {
  kill(ServerProcessOf("store"), SIGTERM);
  EXPECT_THAT(Retried([this] { return store.GetAssessment("sess_1"); }),
              Fails(StatusCode::kNotFound));
}

TEST_F(Postgres, AServerThatSaysNothingIsLeftAndFoundAgain) {
  PostgresTarget target = Target("impatient");
  target.statement_max = milliseconds(300);
  SqlStore impatient(std::make_unique<PostgresDatabase>(target));
  ASSERT_THAT(Retried([&] { return impatient.Open(); }), IsOk());
  const pid_t process = ServerProcessOf("impatient");
  ASSERT_EQ(kill(process, SIGSTOP), 0);
  const SystemClock clock{};
  const TimePoint start = clock.Now();
  // The first try waits for the silent process, the second gets another one.
  const absl::Status status = Retried([&] { return impatient.AcquireSession(owner, "interview"); });
  EXPECT_THAT(status, IsOk());
  EXPECT_GE(clock.Now() - start, milliseconds(300));
  EXPECT_LT(clock.Now() - start, seconds(5));
  kill(process, SIGCONT);
}

TEST_F(Postgres, ARestartOfTheServerIsSurvived) {
  PostgresServer& server = PostgresServer::Shared();
  server.Stop();
  EXPECT_THAT(store.AcquireSession(owner, "interview"), Fails(StatusCode::kUnavailable));
  EXPECT_THAT(store.GetAssessment("sess_1"), Fails(StatusCode::kUnavailable));
  server.Start();
  EXPECT_THAT(store.AcquireSession({"sess_1", 1, "worker_b"}, "interview"),
              Fails(StatusCode::kAborted));
  EXPECT_THAT(store.AcquireSession(owner, "interview"), IsOk());
}

TEST_F(Postgres, AClaimDoesNotWaitForOneThatIsBeingWritten) {
  for (const char* session : {"sess_2", "sess_3"}) {
    const SessionOwner other{session, 1, "worker_a"};
    AssessmentRecord wanted;
    wanted.assessment_id = std::string("assess_") + session;
    ASSERT_THAT(store.AcquireSession(other, "interview"), IsOk());
    ASSERT_THAT(store.CreateAssessment(other, wanted, Duration::zero()), IsOk());
  }
  const auto writer = Operator();
  ASSERT_THAT(writer->Query("BEGIN"), IsOk());
  ASSERT_THAT(writer->Query("UPDATE assessments SET state = 0 WHERE session_id = 'sess_2'"),
              IsOk());
  const auto claimed = store.ClaimAssessments("worker_a", hours(1), 10, "");
  ASSERT_THAT(claimed, IsOk());
  ASSERT_EQ(claimed->size(), 1U);
  EXPECT_EQ(claimed->at(0).session_id, "sess_3");
}

TEST_F(Postgres, AnErrorSaysWhatToDoAboutItAndCarriesNoValue) {
  const auto connection = Operator();
  const auto fails = [&connection](const std::string& state) {
    return connection
        ->Query("DO $$ BEGIN RAISE EXCEPTION 's3cret' USING ERRCODE = '" + state + "'; END $$")
        .status();
  };
  EXPECT_THAT(fails("53100"), Fails(StatusCode::kResourceExhausted));
  EXPECT_THAT(fails("40P01"), Fails(StatusCode::kUnavailable));
  EXPECT_THAT(fails("57014"), Fails(StatusCode::kUnavailable));
  EXPECT_THAT(fails("42P01"), Fails(StatusCode::kInternal));
  EXPECT_THAT(fails("23505"), Fails(StatusCode::kInternal));
  EXPECT_THAT(std::string(fails("23505").message()), Not(HasSubstr("s3cret")));
  EXPECT_THAT(std::string(fails("22P02").message()), Not(HasSubstr("s3cret")));
  EXPECT_FALSE(connection->broken());
  EXPECT_THAT(fails("57P01"), Fails(StatusCode::kUnavailable));
  EXPECT_TRUE(connection->broken());
}

TEST_F(Postgres, WhenItIsNotThereThatIsSaidSoonAndWithoutThePassword) {
  const auto nowhere =
      worker::MakeStore("postgresql://user:s3cret@/name?host=/tmp/voicebridge-no-such-directory")
          .value();
  const absl::Status status = nowhere->Open();
  EXPECT_THAT(status, Fails(StatusCode::kUnavailable));
  EXPECT_THAT(std::string(status.message()), HasSubstr("voicebridge-no-such-directory"));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("s3cret")));
}

TEST_F(Postgres, EachConnectionBoundsItsStatements) {
  const auto connection = Operator();
  EXPECT_EQ(connection->Query("SHOW statement_timeout")->rows.at(0).at(0), "5s");
  EXPECT_EQ(connection->Query("SHOW lock_timeout")->rows.at(0).at(0), "3s");
  EXPECT_EQ(connection->Query("SHOW idle_in_transaction_session_timeout")->rows.at(0).at(0), "10s");
}

}  // namespace
}  // namespace voicebridge::test

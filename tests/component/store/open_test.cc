// The contract of the store: its schema, once, however many open it and whenever.
#include <barrier>
#include <thread>

#include "bridge_worker/store/migrations.h"
#include "bridge_worker/store/sql_store.h"
#include "tests/component/store/store_fixture.h"

namespace voicebridge::test {
namespace {

using absl::StatusCode;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using worker::Migrate;
using worker::Migration;
using worker::SqlDatabase;
using worker::SqlRow;
using worker::SqlStore;

// Without the schema that StoreContract opens at once.
class OpenContract : public ::testing::TestWithParam<Backend> {
 protected:
  std::vector<SqlRow> Rows(const char* sql) {
    const auto direct = database->Connect();
    EXPECT_THAT(direct->Connect(), IsOk());
    const auto result = direct->Execute(sql, {});
    EXPECT_THAT(result, IsOk());
    return result.ok() ? result->rows : std::vector<SqlRow>();
  }

  std::unique_ptr<TestDatabase> database = GetParam().create();
};

constexpr Migration kOne{1, "CREATE TABLE one (a BIGINT)"};
constexpr Migration kTwo{2, "ALTER TABLE one ADD COLUMN b BIGINT DEFAULT 7"};
constexpr Migration kBroken{
    3, "CREATE TABLE three (a BIGINT); ALTER TABLE nowhere ADD COLUMN c BIGINT"};

constexpr char kVersions[] = "SELECT version FROM schema_versions ORDER BY version";

TEST_P(OpenContract, ItMayBeOpenedAgain) {
  SqlStore store(database->Connect());
  EXPECT_THAT(store.Open(), IsOk());
  EXPECT_THAT(store.Open(), IsOk());
  SqlStore other(database->Connect());
  EXPECT_THAT(other.Open(), IsOk());
  EXPECT_EQ(Rows(kVersions).size(), worker::Migrations().size());
}

TEST_P(OpenContract, FourMayOpenItAtTheSameTime) {
  constexpr int kOpeners = 4;
  std::barrier start(kOpeners);
  {
    std::vector<std::jthread> openers;
    for (int i = 0; i < kOpeners; ++i) {
      openers.emplace_back([this, &start] {
        SqlStore store(database->Connect());
        start.arrive_and_wait();
        EXPECT_THAT(Retried([&] { return store.Open(); }), IsOk());
      });
    }
  }
  EXPECT_EQ(Rows(kVersions).size(), worker::Migrations().size());
}

TEST_P(OpenContract, OnlyTheMigrationsThatAreMissingAreApplied) {
  const std::unique_ptr<SqlDatabase> connection = database->Connect();
  const Migration first[] = {kOne};
  ASSERT_THAT(Migrate(*connection, first), IsOk());
  ASSERT_THAT(connection->ExecuteScript("INSERT INTO one (a) VALUES (1)"), IsOk());
  const Migration both[] = {kOne, kTwo};
  ASSERT_THAT(Migrate(*connection, both), IsOk());
  EXPECT_THAT(Rows(kVersions), ElementsAre(SqlRow{"1"}, SqlRow{"2"}));
  EXPECT_THAT(Rows("SELECT a, b FROM one"), ElementsAre(SqlRow{"1", "7"}));
}

TEST_P(OpenContract, ADatabaseThatIsNewerThanTheProgramIsLeftAsItIs) {
  const std::unique_ptr<SqlDatabase> connection = database->Connect();
  const Migration both[] = {kOne, kTwo};
  ASSERT_THAT(Migrate(*connection, both), IsOk());
  const Migration first[] = {kOne};
  EXPECT_THAT(Migrate(*connection, first), IsOk());
  EXPECT_THAT(Rows(kVersions), ElementsAre(SqlRow{"1"}, SqlRow{"2"}));
}

TEST_P(OpenContract, AMigrationThatFailsLeavesNothingBehind) {
  const std::unique_ptr<SqlDatabase> connection = database->Connect();
  const Migration first[] = {kOne};
  ASSERT_THAT(Migrate(*connection, first), IsOk());
  const Migration all[] = {kOne, kTwo, kBroken};
  EXPECT_THAT(Migrate(*connection, all), Fails(StatusCode::kInternal));
  EXPECT_THAT(Rows(kVersions), ElementsAre(SqlRow{"1"}));
  EXPECT_THAT(Rows("SELECT a FROM one"), IsEmpty());
  const Migration both[] = {kOne, kTwo};
  EXPECT_THAT(Migrate(*connection, both), IsOk());
}

INSTANTIATE_TEST_SUITE_P(Store, OpenContract,
                         ::testing::Values(Backend{"Sqlite", NewSqliteFile},
                                           Backend{"Postgres", NewPostgresSchema}),
                         BackendName);

}  // namespace
}  // namespace voicebridge::test

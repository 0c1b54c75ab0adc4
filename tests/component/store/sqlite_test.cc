// What only SQLite does.
#include <sqlite3.h>
#include <sys/stat.h>

#include <fstream>

#include "bridge_worker/store/sql_store.h"
#include "bridge_worker/store/sqlite_database.h"
#include "common/async/clock.h"
#include "tests/component/store/store_fixture.h"

namespace voicebridge::test {
namespace {

using absl::StatusCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using worker::AssessmentRecord;
using worker::Durability;
using worker::LeaseClock;
using worker::SessionOwner;
using worker::SqliteDatabase;
using worker::SqlStore;

class Sqlite : public ::testing::Test {
 protected:
  ~Sqlite() override { std::filesystem::remove_all(directory); }

  // On a host that has booted as `boot_id` and shows `now_ms`.
  std::unique_ptr<SqlStore> OpenAt(const std::string& boot_id, const std::int64_t& now_ms) {
    const LeaseClock clock{boot_id, [&now_ms] { return now_ms; }};
    auto opened = std::make_unique<SqlStore>(std::make_unique<SqliteDatabase>(path, clock));
    EXPECT_THAT(opened->Open(), IsOk());
    return opened;
  }

  std::string Setting(SqliteDatabase& database, const char* pragma) {
    return database.Execute(pragma, {})->rows.at(0).at(0).value();
  }

  const std::filesystem::path directory = NewFastDirectory();
  const std::string path = (directory / "store.db").string();
  const SessionOwner owner{"sess_1", 1, "worker_a"};
};

TEST_F(Sqlite, WaitsForTheDiskUnlessAnItemIsAllThatIsWritten) {
  SqliteDatabase database(path);
  ASSERT_THAT(database.Connect(), IsOk());
  EXPECT_EQ(Setting(database, "PRAGMA journal_mode"), "wal");
  EXPECT_EQ(Setting(database, "PRAGMA secure_delete"), "1");
  ASSERT_THAT(database.Begin(Durability::kProcess), IsOk());
  EXPECT_EQ(Setting(database, "PRAGMA synchronous"), "1");  // NORMAL
  ASSERT_THAT(database.Commit(), IsOk());
  ASSERT_THAT(database.Begin(Durability::kPower), IsOk());
  EXPECT_EQ(Setting(database, "PRAGMA synchronous"), "2");  // FULL
  database.Rollback();
}

TEST_F(Sqlite, ItsFilesAreForTheirOwnerOnly) {
  const std::int64_t now = 0;
  const auto store = OpenAt("boot", now);
  ASSERT_THAT(store->AcquireSession(owner, "interview"), IsOk());
  for (const char* suffix : {"", "-wal", "-shm"}) {
    struct stat file = {};
    ASSERT_EQ(stat((path + suffix).c_str(), &file), 0) << suffix;
    EXPECT_EQ(file.st_mode & 0777U, 0600U) << suffix;
  }
}

TEST_F(Sqlite, ALeaseRunsByTheClockOfTheBoot) {
  std::int64_t now = 5'000;
  const auto store = OpenAt("boot_1", now);
  ASSERT_THAT(store->AcquireSession(owner, "interview"), IsOk());
  AssessmentRecord wanted;
  wanted.assessment_id = "assess_1";
  ASSERT_THAT(store->CreateAssessment(owner, wanted, Duration::zero()), IsOk());
  ASSERT_EQ(store->ClaimAssessments("worker_a", seconds(15), 1, "")->size(), 1U);
  now = 19'999;
  EXPECT_THAT(*store->ClaimAssessments("worker_b", seconds(15), 1, ""), IsEmpty());
  now = 20'000;
  EXPECT_EQ(store->ClaimAssessments("worker_b", seconds(15), 1, "")->size(), 1U);
}

TEST_F(Sqlite, ALeaseOfAnotherBootHasRunOut) {
  std::int64_t late = 900'000'000;
  auto store = OpenAt("boot_1", late);
  ASSERT_THAT(store->AcquireSession(owner, "interview"), IsOk());
  AssessmentRecord wanted;
  wanted.assessment_id = "assess_1";
  ASSERT_THAT(store->CreateAssessment(owner, wanted, Duration::zero()), IsOk());
  ASSERT_EQ(store->ClaimAssessments("worker_a", seconds(15), 1, "")->size(), 1U);
  const std::int64_t early = 1'000;
  store = OpenAt("boot_2", early);
  EXPECT_EQ(store->ClaimAssessments("worker_b", seconds(15), 1, "")->size(), 1U);
  EXPECT_THAT(*store->ClaimAssessments("worker_c", seconds(15), 1, ""), IsEmpty());
}

TEST_F(Sqlite, TheClockOfThisHostRunsAndHasABoot) {
  const LeaseClock clock = worker::SystemLeaseClock();
  EXPECT_GE(clock.boot_id.size(), 32U);
  const std::int64_t before = clock.now_ms();
  EXPECT_GT(before, 0);
  EXPECT_TRUE(BecomesTrue([&] { return clock.now_ms() > before; }));
}

TEST_F(Sqlite, IsUnavailableWithinABoundWhileAnotherWrites) {
  const std::int64_t now = 0;
  const auto store = OpenAt("boot", now);
  SqliteDatabase other(path);
  ASSERT_THAT(other.Begin(Durability::kPower), IsOk());
  const SystemClock clock{};
  const TimePoint start = clock.Now();
  EXPECT_THAT(store->AcquireSession(owner, "interview"), Fails(StatusCode::kUnavailable));
  EXPECT_GE(clock.Now() - start, milliseconds(400));
  EXPECT_LT(clock.Now() - start, seconds(3));
  other.Rollback();
  EXPECT_THAT(store->AcquireSession(owner, "interview"), IsOk());
}

TEST_F(Sqlite, AFullDiskIsNamedAndDoesNoHarm) {
  auto limited = std::make_unique<SqliteDatabase>(path);
  ASSERT_THAT(limited->Connect(), IsOk());
  SqliteDatabase& database = *limited;
  SqlStore store(std::move(limited));
  ASSERT_THAT(store.Open(), IsOk());
  ASSERT_THAT(store.AcquireSession(owner, "interview"), IsOk());
  ASSERT_THAT(database.ExecuteScript("PRAGMA max_page_count = 40"), IsOk());
  const worker::StoredItem large{"item_1", "", std::string(400'000, 'x'), "", 0};
  EXPECT_THAT(store.WriteItems(owner, {large}, {}), Fails(StatusCode::kResourceExhausted));
  EXPECT_THAT(store.EndSession(owner, "draining"), IsOk());
}

TEST_F(Sqlite, AnErrorCarriesNoValue) {
  const std::int64_t now = 0;
  const auto store = OpenAt("boot", now);
  for (const char* session : {"sess_1", "sess_2"}) {
    ASSERT_THAT(store->AcquireSession({session, 1, "worker_a"}, "interview"), IsOk());
  }
  AssessmentRecord wanted;
  wanted.assessment_id = "s3cret";
  ASSERT_THAT(store->CreateAssessment(owner, wanted, Duration::zero()), IsOk());
  const auto twice = store->CreateAssessment({"sess_2", 1, "worker_a"}, wanted, Duration::zero());
  EXPECT_THAT(twice, Fails(StatusCode::kInternal));
  EXPECT_THAT(std::string(twice.status().message()), Not(HasSubstr("s3cret")));
}

TEST_F(Sqlite, AFileThatCannotBeIsRefused) {
  SqlStore nowhere(std::make_unique<SqliteDatabase>((directory / "no" / "store.db").string()));
  EXPECT_THAT(nowhere.Open(), Fails(StatusCode::kInvalidArgument));
  std::ofstream(path) << std::string(5'000, 'x');
  SqlStore other(std::make_unique<SqliteDatabase>(path));
  EXPECT_THAT(other.Open(), Fails(StatusCode::kInternal));
}

TEST_F(Sqlite, InMemoryEachStoreIsItsOwn) {
  const auto one = worker::MakeStore("sqlite::memory:").value();
  const auto other = worker::MakeStore("sqlite::memory:").value();
  ASSERT_THAT(one->Open(), IsOk());
  ASSERT_THAT(other->Open(), IsOk());
  ASSERT_THAT(one->AcquireSession(owner, "interview"), IsOk());
  EXPECT_THAT(other->EndSession(owner, "draining"), Fails(StatusCode::kNotFound));
}

}  // namespace
}  // namespace voicebridge::test

#include "tests/component/store/store_fixture.h"

#include <stdlib.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <stdexcept>

#include "bridge_worker/store/postgres_database.h"
#include "bridge_worker/store/sql_store.h"
#include "bridge_worker/store/sqlite_database.h"
#include "common/async/clock.h"
#include "tests/component/store/postgres_server.h"

namespace voicebridge::test {

using worker::AssessmentRecord;
using worker::PostgresDatabase;
using worker::SessionOwner;
using worker::SqlDatabase;
using worker::SqliteDatabase;
using worker::SqlRow;
using worker::SqlStore;
using worker::Store;

std::filesystem::path NewTemporaryDirectory(const std::filesystem::path& parent) {
  std::string path = (parent / "voicebridge-store-XXXXXX").string();
  if (mkdtemp(path.data()) == nullptr) {
    throw std::runtime_error("no temporary directory");
  }
  return path;
}

std::filesystem::path NewFastDirectory() {
  constexpr char kInMemory[] = "/dev/shm";
  return access(kInMemory, W_OK) == 0 ? NewTemporaryDirectory(kInMemory) : NewTemporaryDirectory();
}

bool BecomesTrue(const std::function<bool()>& condition) {
  const SystemClock clock{};
  const Deadline deadline = Deadline::After(clock.Now(), seconds(10));
  std::mutex mutex;
  std::condition_variable never;
  while (!condition()) {
    if (deadline.HasPassed(clock.Now())) {
      return false;
    }
    std::unique_lock lock(mutex);
    never.wait_for(lock, milliseconds(3));
  }
  return true;
}

namespace {

class SqliteFile final : public TestDatabase {
 public:
  ~SqliteFile() override { std::filesystem::remove_all(directory_); }

  std::unique_ptr<SqlDatabase> Connect() override {
    return std::make_unique<SqliteDatabase>((directory_ / "store.db").string());
  }

 private:
  std::filesystem::path directory_ = NewFastDirectory();
};

class PostgresSchema final : public TestDatabase {
 public:
  PostgresSchema() {
    const auto database = Connect();
    if (!database->Connect().ok() ||
        !database->ExecuteScript("DROP SCHEMA public CASCADE; CREATE SCHEMA public").ok()) {
      throw std::runtime_error("the schema cannot be emptied");
    }
  }

  std::unique_ptr<SqlDatabase> Connect() override {
    return std::make_unique<PostgresDatabase>(
        worker::ParsePostgresUrl(PostgresServer::Shared().Url()).value());
  }
};

}  // namespace

std::unique_ptr<TestDatabase> NewSqliteFile() { return std::make_unique<SqliteFile>(); }
std::unique_ptr<TestDatabase> NewPostgresSchema() { return std::make_unique<PostgresSchema>(); }

std::string BackendName(const ::testing::TestParamInfo<Backend>& info) { return info.param.name; }

void StoreContract::SetUp() {
  database = GetParam().create();
  store = NewStore();
  direct = database->Connect();
  ASSERT_THAT(direct->Connect(), IsOk());
}

std::unique_ptr<Store> StoreContract::NewStore() {
  auto opened = std::make_unique<SqlStore>(database->Connect());
  EXPECT_THAT(Retried([&] { return opened->Open(); }), IsOk());
  return opened;
}

std::vector<SqlRow> StoreContract::Rows(const char* sql) {
  const auto result = direct->Execute(sql, {});
  EXPECT_THAT(result, IsOk());
  return result.ok() ? result->rows : std::vector<SqlRow>();
}

void StoreContract::Change(const std::string& sql) {
  EXPECT_THAT(direct->ExecuteScript(sql), IsOk());
}

AssessmentRecord StoreContract::Create(const SessionOwner& of, Duration reserved,
                                       const std::string& request) {
  EXPECT_THAT(store->AcquireSession(of, "interview"), IsOk());
  AssessmentRecord wanted;
  wanted.assessment_id = "assess_" + of.session_id;
  wanted.profile = "interview";
  wanted.request_json = request;
  const auto created = store->CreateAssessment(of, wanted, reserved);
  EXPECT_THAT(created, IsOk());
  return created.value_or(AssessmentRecord());
}

std::vector<AssessmentRecord> StoreContract::Claim(Duration lease, std::size_t count,
                                                   std::string_view only) {
  const auto claimed = store->ClaimAssessments("worker_a", lease, count, only);
  EXPECT_THAT(claimed, IsOk());
  return claimed.value_or(std::vector<AssessmentRecord>());
}

AssessmentRecord StoreContract::CreateRunning(const SessionOwner& of) {
  const std::string id = Create(of).assessment_id;
  const std::vector<AssessmentRecord> claimed = Claim(hours(1), 1, id);
  EXPECT_EQ(claimed.size(), 1U);
  return claimed.empty() ? AssessmentRecord() : claimed[0];
}

}  // namespace voicebridge::test

// SQLite behind SqlDatabase.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "bridge_worker/store/sql_database.h"

namespace voicebridge::worker {

// Counts through suspend and cannot be set; it begins anew with each boot, so a time is only good
// together with the boot's id. The same for all processes of a host.
struct LeaseClock {
  std::string boot_id;
  std::function<std::int64_t()> now_ms;
};

LeaseClock SystemLeaseClock();

// A file on a local file system (`:memory:`: nothing is kept), shared by the processes of one host.
// What is deleted is overwritten.
class SqliteDatabase final : public SqlDatabase {
 public:
  explicit SqliteDatabase(std::string path, LeaseClock clock = SystemLeaseClock());
  ~SqliteDatabase() override;

  const SqlDialect& dialect() const override;
  absl::Status Connect() override;
  absl::Status Begin(Durability durability) override;
  absl::Status Commit() override;
  void Rollback() override;
  absl::StatusOr<SqlResult> Execute(const char* sql,
                                    std::initializer_list<SqlParameter> parameters) override;
  absl::Status ExecuteScript(const std::string& sql) override;

 private:
  struct CloseConnection {
    void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
  };
  struct FinalizeStatement {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  using Connection = std::unique_ptr<sqlite3, CloseConnection>;
  using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

  absl::Status Configure(sqlite3* connection);
  absl::StatusOr<sqlite3_stmt*> Prepared(const char* sql);

  std::string path_;
  LeaseClock clock_;
  Connection connection_;
  std::map<std::string_view, Statement> statements_;  // By the literal; before their connection.
  Durability durability_ = Durability::kPower;
};

}  // namespace voicebridge::worker

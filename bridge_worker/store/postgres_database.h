// PostgreSQL behind SqlDatabase.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "bridge_worker/store/postgres_connection.h"
#include "bridge_worker/store/sql_database.h"

namespace voicebridge::worker {

// One connection, made anew when it broke. Statements are prepared on the server, so a pooler
// between must keep a client's connection for as long as it lasts ("session pooling").
class PostgresDatabase final : public SqlDatabase {
 public:
  explicit PostgresDatabase(PostgresTarget target) : target_(std::move(target)) {}

  const SqlDialect& dialect() const override;
  absl::Status Connect() override;
  // PostgreSQL waits for its disk with every commit, whatever is asked for here: a client may not
  // know how its server is set up.
  absl::Status Begin(Durability durability) override;
  absl::Status Commit() override;
  void Rollback() override;
  absl::StatusOr<SqlResult> Execute(const char* sql,
                                    std::initializer_list<SqlParameter> parameters) override;
  absl::Status ExecuteScript(const std::string& sql) override;

 private:
  absl::StatusOr<std::string> Prepared(const char* sql);

  PostgresTarget target_;
  std::unique_ptr<PostgresConnection> connection_;
  std::map<std::string_view, std::string> prepared_;  // Of this connection: literal to name.
};

}  // namespace voicebridge::worker

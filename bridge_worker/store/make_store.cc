#include <memory>

#include "bridge_worker/store/postgres_database.h"
#include "bridge_worker/store/sql_store.h"
#include "bridge_worker/store/sqlite_database.h"
#include "common/core/status.h"

namespace voicebridge::worker {
namespace {

constexpr std::string_view kSqlite = "sqlite:";

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> MakeStore(std::string_view url) {
  if (url.starts_with(kSqlite) && url.size() > kSqlite.size()) {
    return std::make_unique<SqlStore>(
        std::make_unique<SqliteDatabase>(std::string(url.substr(kSqlite.size()))));
  }
  if (url.starts_with("postgresql://") || url.starts_with("postgres://")) {
    absl::StatusOr<PostgresTarget> target = ParsePostgresUrl(url);
    if (!target.ok()) {
      return target.status();
    }
    return std::make_unique<SqlStore>(std::make_unique<PostgresDatabase>(*std::move(target)));
  }
  // What was given may hold a password.
  return InvalidArgument(
      "store: expected sqlite:PATH, sqlite::memory: or postgresql://USER:PASSWORD@HOST:PORT/NAME");
}

}  // namespace voicebridge::worker

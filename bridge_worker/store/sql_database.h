// One connection to an SQL database, as the store needs it: what SQLite and PostgreSQL have in
// common.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace voicebridge::worker {

using SqlParameter = std::variant<std::int64_t, std::string_view>;
using SqlCell = std::optional<std::string>;  // Absent: NULL. Numbers are decimal text.
using SqlRow = std::vector<SqlCell>;

struct SqlResult {
  std::vector<SqlRow> rows;
  std::size_t changed = 0;  // Rows inserted, updated or deleted, without those of a cascade.
};

// What a transaction survives once it is committed.
enum class Durability {
  kProcess,  // The end of this process.
  kPower,    // The end of this host's power, too.
};

// Where the two languages differ. A statement names such a place as `{wall_ms}`.
struct SqlDialect {
  std::string_view wall_ms;         // The time of day, for retention.
  std::string_view lease_ms;        // The clock of leases.
  std::string_view lease_clock;     // Its name: a lease of another clock has run out.
  std::string_view skip_locked;     // Rows that another transaction holds are left to it.
  std::string_view serial_key;      // The type of a key that counts up.
  std::string_view migration_lock;  // A statement: one process at a time migrates.
};

std::string InDialect(std::string_view sql, const SqlDialect& dialect);

// Blocking, used by one thread at a time; each call is bounded by the database's timeouts. Errors
// are those of Store.
class SqlDatabase {
 public:
  virtual ~SqlDatabase() = default;

  virtual const SqlDialect& dialect() const = 0;

  // Nothing to do when there is a connection that works, as far as one can tell.
  virtual absl::Status Connect() = 0;

  // Connects when it must. Transactions that write do not overlap with Begin on SQLite.
  virtual absl::Status Begin(Durability durability) = 0;
  // UNAVAILABLE: it may have been committed.
  virtual absl::Status Commit() = 0;
  virtual void Rollback() = 0;

  // Prepared once per connection; `sql` is a literal with parameters $1, $2, ...
  virtual absl::StatusOr<SqlResult> Execute(const char* sql,
                                            std::initializer_list<SqlParameter> parameters) = 0;
  // Several statements without parameters, for migrations.
  virtual absl::Status ExecuteScript(const std::string& sql) = 0;
};

}  // namespace voicebridge::worker

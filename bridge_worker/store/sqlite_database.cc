#include "bridge_worker/store/sqlite_database.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <fstream>
#include <utility>

#include "bridge_worker/store/storable_text.h"
#include "common/core/status.h"

namespace voicebridge::worker {
namespace {

// Per attempt; StoreThread makes further attempts.
constexpr int kBusyTimeoutMs = 500;

constexpr SqlDialect kDialect = {
    .wall_ms = "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
    .lease_ms = "voicebridge_lease_ms()",
    .lease_clock = "voicebridge_lease_clock()",
    .skip_locked = "",
    .serial_key = "INTEGER PRIMARY KEY AUTOINCREMENT",
    .migration_lock = "SELECT 1",  // BEGIN IMMEDIATE is one.
};

std::int64_t BootTimeMs() {
  timespec time = {};
  clock_gettime(CLOCK_BOOTTIME, &time);
  return static_cast<std::int64_t>(time.tv_sec) * 1000 + time.tv_nsec / 1'000'000;
}

absl::StatusCode CodeOf(int result) {
  switch (result & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return absl::StatusCode::kUnavailable;
    case SQLITE_FULL:
      return absl::StatusCode::kResourceExhausted;
    default:
      return absl::StatusCode::kInternal;
  }
}

// SQLite's messages name tables, columns and pieces of our SQL; values are always bound, so none is
// in them.
absl::Status ErrorOf(sqlite3* connection, int result) {
  return MakeStatus(CodeOf(result), "SQLite: {} ({})", sqlite3_errmsg(connection), result);
}

void LeaseMs(sqlite3_context* context, int, sqlite3_value**) {
  const auto* clock = static_cast<const LeaseClock*>(sqlite3_user_data(context));
  sqlite3_result_int64(context, clock->now_ms());
}

void LeaseClockId(sqlite3_context* context, int, sqlite3_value**) {
  const auto* clock = static_cast<const LeaseClock*>(sqlite3_user_data(context));
  sqlite3_result_text(context, clock->boot_id.c_str(), -1, SQLITE_TRANSIENT);
}

int AddFunctions(sqlite3* connection, LeaseClock* clock) {
  const int added = sqlite3_create_function(connection, "voicebridge_lease_ms", 0, SQLITE_UTF8,
                                            clock, LeaseMs, nullptr, nullptr);
  return added != SQLITE_OK
             ? added
             : sqlite3_create_function(connection, "voicebridge_lease_clock", 0, SQLITE_UTF8, clock,
                                       LeaseClockId, nullptr, nullptr);
}

// The file holds what people said: only its owner may read it. SQLite gives the same mode to the
// files beside it.
void CreatePrivately(const std::string& path) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file >= 0) {
    close(file);
  }
}

int Bind(sqlite3_stmt* statement, int index, const SqlParameter& parameter) {
  if (const auto* number = std::get_if<std::int64_t>(&parameter)) {
    return sqlite3_bind_int64(statement, index, *number);
  }
  const std::string text = StorableText(std::get<std::string_view>(parameter));
  return sqlite3_bind_text64(statement, index, text.data(), text.size(), SQLITE_TRANSIENT,
                             SQLITE_UTF8);
}

// By name: SQLite numbers `$2` by where it first stands, not by its digits.
int BindAll(sqlite3_stmt* statement, std::initializer_list<SqlParameter> parameters) {
  int result = SQLITE_OK;
  int number = 1;
  for (const SqlParameter& parameter : parameters) {
    const int index = sqlite3_bind_parameter_index(statement, fmt::format("${}", number++).c_str());
    result = result == SQLITE_OK ? Bind(statement, index, parameter) : result;
  }
  return result;
}

SqlRow RowOf(sqlite3_stmt* statement) {
  SqlRow row;
  for (int column = 0; column < sqlite3_column_count(statement); ++column) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
    const auto bytes = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
    row.push_back(text == nullptr ? SqlCell() : SqlCell(std::string(text, bytes)));
  }
  return row;
}

}  // namespace

LeaseClock SystemLeaseClock() {
  LeaseClock clock{"", BootTimeMs};
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::getline(file, clock.boot_id);
  return clock;
}

SqliteDatabase::SqliteDatabase(std::string path, LeaseClock clock)
    : path_(std::move(path)), clock_(std::move(clock)) {}

SqliteDatabase::~SqliteDatabase() = default;

const SqlDialect& SqliteDatabase::dialect() const { return kDialect; }

absl::Status SqliteDatabase::Connect() {
  if (connection_ != nullptr) {
    return absl::OkStatus();
  }
  if (path_ != ":memory:") {
    CreatePrivately(path_);
  }
  sqlite3* opened = nullptr;
  const int result =
      sqlite3_open_v2(path_.c_str(), &opened,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  Connection connection(opened);
  if (result != SQLITE_OK) {
    return InvalidArgument("store: expected a file that can be written at {}: {}", path_,
                           sqlite3_errstr(result));
  }
  absl::Status configured = Configure(connection.get());
  if (configured.ok()) {
    connection_ = std::move(connection);
  }
  return configured;
}

absl::Status SqliteDatabase::Configure(sqlite3* connection) {
  sqlite3_extended_result_codes(connection, 1);
  sqlite3_busy_timeout(connection, kBusyTimeoutMs);
  int result = AddFunctions(connection, &clock_);
  for (const char* setting : {"PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL",
                              "PRAGMA foreign_keys = ON", "PRAGMA secure_delete = ON"}) {
    if (result == SQLITE_OK) {
      result = sqlite3_exec(connection, setting, nullptr, nullptr, nullptr);
    }
  }
  durability_ = Durability::kPower;
  return result == SQLITE_OK ? absl::OkStatus() : ErrorOf(connection, result);
}

absl::Status SqliteDatabase::Begin(Durability durability) {
  absl::Status status = Connect();
  if (status.ok() && durability != durability_) {
    status = ExecuteScript(durability == Durability::kPower ? "PRAGMA synchronous = FULL"
                                                            : "PRAGMA synchronous = NORMAL");
    durability_ = status.ok() ? durability : durability_;
  }
  // IMMEDIATE: a transaction that began as a reader could not wait for its turn to write.
  return status.ok() ? Execute("BEGIN IMMEDIATE", {}).status() : status;
}

absl::Status SqliteDatabase::Commit() { return Execute("COMMIT", {}).status(); }

void SqliteDatabase::Rollback() {
  // Some errors have rolled it back already.
  if (sqlite3_get_autocommit(connection_.get()) == 0) {
    Execute("ROLLBACK", {}).IgnoreError();
  }
}

absl::StatusOr<sqlite3_stmt*> SqliteDatabase::Prepared(const char* sql) {
  Statement& statement = statements_[sql];
  if (statement == nullptr) {
    const std::string text = InDialect(sql, kDialect);
    sqlite3_stmt* prepared = nullptr;
    const int result = sqlite3_prepare_v3(connection_.get(), text.c_str(), -1,
                                          SQLITE_PREPARE_PERSISTENT, &prepared, nullptr);
    if (result != SQLITE_OK) {
      return ErrorOf(connection_.get(), result);
    }
    statement.reset(prepared);
  }
  return statement.get();
}

absl::StatusOr<SqlResult> SqliteDatabase::Execute(const char* sql,
                                                  std::initializer_list<SqlParameter> parameters) {
  const absl::StatusOr<sqlite3_stmt*> prepared = Prepared(sql);
  if (!prepared.ok()) {
    return prepared.status();
  }
  sqlite3_stmt* statement = *prepared;
  SqlResult rows;
  int result = BindAll(statement, parameters);
  while (result == SQLITE_OK || result == SQLITE_ROW) {
    result = sqlite3_step(statement);
    if (result == SQLITE_ROW) {
      rows.rows.push_back(RowOf(statement));
    }
  }
  const absl::Status status =
      result == SQLITE_DONE ? absl::OkStatus() : ErrorOf(connection_.get(), result);
  if (sqlite3_stmt_readonly(statement) == 0) {
    rows.changed = static_cast<std::size_t>(sqlite3_changes64(connection_.get()));
  }
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  if (!status.ok()) {
    return status;
  }
  return rows;
}

absl::Status SqliteDatabase::ExecuteScript(const std::string& sql) {
  const int result = sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  return result == SQLITE_OK ? absl::OkStatus() : ErrorOf(connection_.get(), result);
}

}  // namespace voicebridge::worker

#include "bridge_worker/store/migrations.h"

#include <charconv>
#include <string>

namespace voicebridge::worker {
namespace {

constexpr std::string_view kVersionTable = R"sql(
{migration_lock};
CREATE TABLE IF NOT EXISTS schema_versions (version BIGINT PRIMARY KEY, applied_ms BIGINT NOT NULL);
)sql";

// Enumerations are stored as their numbers: assessments.state is AssessmentState,
// items.transcript_state is v1::TranscriptState.
constexpr std::string_view kFirst = R"sql(
CREATE TABLE sessions (
  id TEXT PRIMARY KEY,
  profile TEXT NOT NULL,
  epoch BIGINT NOT NULL,
  worker_id TEXT NOT NULL,
  end_reason TEXT,
  created_ms BIGINT NOT NULL,
  written_ms BIGINT NOT NULL
);
CREATE INDEX sessions_by_age ON sessions (written_ms);

CREATE TABLE items (
  session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  item_id TEXT NOT NULL,
  previous_item_id TEXT NOT NULL,
  item_json TEXT NOT NULL,
  transcript TEXT NOT NULL,
  transcript_state BIGINT NOT NULL,
  PRIMARY KEY (session_id, item_id)
);

CREATE TABLE tool_calls (
  session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  call_id TEXT NOT NULL,
  start_id TEXT NOT NULL,
  name TEXT NOT NULL,
  arguments_json TEXT NOT NULL,
  output TEXT,
  PRIMARY KEY (session_id, call_id)
);

CREATE TABLE assessments (
  number {serial_key},
  id TEXT NOT NULL UNIQUE,
  session_id TEXT NOT NULL UNIQUE REFERENCES sessions (id) ON DELETE CASCADE,
  profile TEXT NOT NULL,
  state BIGINT NOT NULL,
  claim BIGINT NOT NULL,
  worker_id TEXT NOT NULL,
  lease_clock TEXT NOT NULL,
  lease_until_ms BIGINT NOT NULL,
  request_json TEXT NOT NULL,
  report_json TEXT NOT NULL,
  failure_reason TEXT NOT NULL
);
CREATE INDEX assessments_to_come ON assessments (number) WHERE state IN (0, 1);
)sql";

constexpr Migration kMigrations[] = {{1, kFirst}};

absl::StatusOr<int> AppliedVersion(SqlDatabase& database) {
  absl::StatusOr<SqlResult> found =
      database.Execute("SELECT coalesce(max(version), 0) FROM schema_versions", {});
  if (!found.ok()) {
    return found.status();
  }
  const std::string& text = found->rows.at(0).at(0).value();
  int version = 0;
  std::from_chars(text.data(), text.data() + text.size(), version);
  return version;
}

absl::Status Apply(SqlDatabase& database, const Migration& migration) {
  absl::Status applied = database.ExecuteScript(InDialect(migration.script, database.dialect()));
  if (!applied.ok()) {
    return applied;
  }
  return database
      .Execute("INSERT INTO schema_versions (version, applied_ms) VALUES ($1, {wall_ms})",
               {std::int64_t{migration.version}})
      .status();
}

absl::Status ApplyMissing(SqlDatabase& database, std::span<const Migration> migrations) {
  absl::Status status = database.ExecuteScript(InDialect(kVersionTable, database.dialect()));
  if (!status.ok()) {
    return status;
  }
  const absl::StatusOr<int> applied = AppliedVersion(database);
  status = applied.status();
  for (const Migration& migration : migrations) {
    if (status.ok() && migration.version > *applied) {
      status = Apply(database, migration);
    }
  }
  return status;
}

}  // namespace

std::span<const Migration> Migrations() { return kMigrations; }

absl::Status Migrate(SqlDatabase& database, std::span<const Migration> migrations) {
  absl::Status status = database.Begin(Durability::kPower);
  if (!status.ok()) {
    return status;
  }
  status = ApplyMissing(database, migrations);
  if (status.ok()) {
    status = database.Commit();
  }
  if (!status.ok()) {
    database.Rollback();
  }
  return status;
}

}  // namespace voicebridge::worker

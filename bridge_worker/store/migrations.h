// The schema, as the steps that lead to it.
#pragma once

#include <absl/status/status.h>

#include <span>
#include <string_view>

#include "bridge_worker/store/sql_database.h"

namespace voicebridge::worker {

// Numbered from 1 without gaps and never changed once released. Each keeps the programs before it
// working: it only adds tables, indexes, and columns with a default. So workers of two versions
// share a database during a rollout, and the older one may be put back; a database that is newer
// than the program is therefore no error.
struct Migration {
  int version;
  std::string_view script;
};

std::span<const Migration> Migrations();

// Applies those that are missing, all in one transaction that other processes wait for.
absl::Status Migrate(SqlDatabase& database, std::span<const Migration> migrations);

}  // namespace voicebridge::worker

// A connection to PostgreSQL whose every wait is bounded.
#pragma once

#include <libpq-fe.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bridge_worker/store/sql_database.h"
#include "common/core/deadline.h"

namespace voicebridge::worker {

// What libpq is told, from the URL and from us.
struct PostgresTarget {
  std::vector<std::pair<std::string, std::string>> options;
  std::string password;  // Taken out of messages.
  Duration connect_max = seconds(3);
  // Above the timeouts that the server is told: it gives up first, and says so; we give up on a
  // server that says nothing.
  Duration statement_max = seconds(6);
};

// From postgresql://USER:PASSWORD@HOST:PORT/NAME?OPTIONS. INVALID_ARGUMENT repeats nothing of it.
absl::StatusOr<PostgresTarget> ParsePostgresUrl(std::string_view url);

// libpq rather than a wrapper of it: its calls that do not block let us put a deadline on a server
// that has stopped answering, also one that is only stopped and keeps its sockets open. Looking up
// a host's name is the exception; a thread that hangs there is left behind (see StoreThread).
class PostgresConnection {
 public:
  // UNAVAILABLE with libpq's message.
  static absl::StatusOr<std::unique_ptr<PostgresConnection>> Open(const PostgresTarget& target);

  // One or more statements without parameters; the rows of the last one. Errors are those of Store.
  absl::StatusOr<SqlResult> Query(const std::string& sql);
  absl::Status Prepare(const std::string& name, const std::string& sql);
  absl::StatusOr<SqlResult> ExecutePrepared(const std::string& name,
                                            std::initializer_list<SqlParameter> parameters);

  // It will not work again.
  bool broken() const;

 private:
  struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };

  PostgresConnection(PGconn* connection, const PostgresTarget& target);

  absl::Status FinishConnecting(Deadline deadline);
  absl::Status WaitForSocket(short events, Deadline deadline);
  absl::StatusOr<SqlResult> Collect(bool sent);
  absl::Status Flush(Deadline deadline);
  absl::Status AwaitResult(Deadline deadline);
  absl::Status Lost();

  std::unique_ptr<PGconn, Finish> connection_;
  const std::string password_;
  const Duration statement_max_;
  bool gave_up_ = false;
};

}  // namespace voicebridge::worker

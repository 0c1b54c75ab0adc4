#include "bridge_worker/store/postgres_connection.h"

#include <poll.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

#include "bridge_worker/store/postgres_error.h"
#include "bridge_worker/store/storable_text.h"
#include "common/async/clock.h"
#include "common/core/status.h"

namespace voicebridge::worker {
namespace {

constexpr char kSessionSettings[] =
    "SET statement_timeout = '5s'; SET lock_timeout = '3s'; "
    "SET idle_in_transaction_session_timeout = '10s'; SET client_min_messages = 'warning'";

struct ResultDeleter {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Result = std::unique_ptr<PGresult, ResultDeleter>;

void IgnoreNotice(void*, const PGresult*) {}

Deadline In(Duration budget) { return Deadline::After(SystemClock().Now(), budget); }

SqlResult RowsOf(const PGresult* result) {
  SqlResult rows;
  for (int row = 0; row < PQntuples(result); ++row) {
    SqlRow& cells = rows.rows.emplace_back();
    for (int column = 0; column < PQnfields(result); ++column) {
      const auto bytes = static_cast<std::size_t>(PQgetlength(result, row, column));
      cells.push_back(PQgetisnull(result, row, column) == 1
                          ? SqlCell()
                          : SqlCell(std::string(PQgetvalue(result, row, column), bytes)));
    }
  }
  const std::string_view changed = PQcmdTuples(const_cast<PGresult*>(result));
  std::from_chars(changed.data(), changed.data() + changed.size(), rows.changed);
  return rows;
}

std::string TextOf(const SqlParameter& parameter) {
  if (const auto* number = std::get_if<std::int64_t>(&parameter)) {
    return std::to_string(*number);
  }
  return StorableText(std::get<std::string_view>(parameter));
}

}  // namespace

absl::StatusOr<PostgresTarget> ParsePostgresUrl(std::string_view url) {
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> parsed(
      PQconninfoParse(std::string(url).c_str(), nullptr), PQconninfoFree);
  if (parsed == nullptr) {
    return InvalidArgument(
        "store: expected postgresql://USER:PASSWORD@HOST:PORT/NAME with special characters as %XX");
  }
  std::map<std::string, std::string> options = {{"application_name", "voicebridge-worker"},
                                                {"keepalives_idle", "5"},
                                                {"keepalives_interval", "2"},
                                                {"keepalives_count", "3"},
                                                {"tcp_user_timeout", "5000"}};
  for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) {
      options[option->keyword] = option->val;
    }
  }
  options["client_encoding"] = "UTF8";
  PostgresTarget target;
  target.password = options["password"];
  target.options.assign(options.begin(), options.end());
  return target;
}

PostgresConnection::PostgresConnection(PGconn* connection, const PostgresTarget& target)
    : connection_(connection), password_(target.password), statement_max_(target.statement_max) {}

absl::StatusOr<std::unique_ptr<PostgresConnection>> PostgresConnection::Open(
    const PostgresTarget& target) {
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  for (const auto& [keyword, value] : target.options) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  std::unique_ptr<PostgresConnection> opened(
      new PostgresConnection(PQconnectStartParams(keywords.data(), values.data(), 0), target));
  if (opened->connection_ == nullptr) {
    return Unavailable("PostgreSQL: no memory for a connection");
  }
  PQsetNoticeReceiver(opened->connection_.get(), IgnoreNotice, nullptr);
  absl::Status status = opened->FinishConnecting(In(target.connect_max));
  if (status.ok()) {
    status = opened->Query(kSessionSettings).status();
  }
  if (!status.ok()) {
    return status;
  }
  return opened;
}

absl::Status PostgresConnection::FinishConnecting(Deadline deadline) {
  PostgresPollingStatusType wants = PGRES_POLLING_WRITING;
  while (PQstatus(connection_.get()) != CONNECTION_BAD && wants != PGRES_POLLING_OK) {
    absl::Status ready = WaitForSocket(wants == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline);
    if (!ready.ok()) {
      return ready;
    }
    wants = PQconnectPoll(connection_.get());
  }
  if (PQstatus(connection_.get()) != CONNECTION_OK || PQsetnonblocking(connection_.get(), 1) != 0) {
    return Lost();
  }
  return absl::OkStatus();
}

absl::Status PostgresConnection::WaitForSocket(short events, Deadline deadline) {
  pollfd socket = {PQsocket(connection_.get()), events, 0};
  const auto left = std::chrono::ceil<milliseconds>(deadline.Remaining(SystemClock().Now()));
  const int ready = poll(&socket, 1, static_cast<int>(left.count()));
  // An interrupted wait looks like a socket that is ready: libpq then finds nothing and asks again.
  if (ready == 0) {
    gave_up_ = true;
    return Unavailable("PostgreSQL: no answer in time");
  }
  return absl::OkStatus();
}

absl::Status PostgresConnection::Lost() {
  gave_up_ = true;
  return Unavailable("PostgreSQL: {}",
                     MessageWithout(password_, PQerrorMessage(connection_.get())));
}

absl::Status PostgresConnection::Flush(Deadline deadline) {
  int unsent = PQflush(connection_.get());
  while (unsent == 1) {
    absl::Status ready = WaitForSocket(POLLIN | POLLOUT, deadline);
    if (!ready.ok()) {
      return ready;
    }
    if (PQconsumeInput(connection_.get()) == 0) {
      return Lost();
    }
    unsent = PQflush(connection_.get());
  }
  return unsent == 0 ? absl::OkStatus() : Lost();
}

absl::Status PostgresConnection::AwaitResult(Deadline deadline) {
  while (PQisBusy(connection_.get()) == 1) {
    absl::Status ready = WaitForSocket(POLLIN, deadline);
    if (!ready.ok()) {
      return ready;
    }
    if (PQconsumeInput(connection_.get()) == 0) {
      return Lost();
    }
  }
  return absl::OkStatus();
}

// The first error counts, the last result is returned; libpq wants to be asked until it has no
// more.
absl::StatusOr<SqlResult> PostgresConnection::Collect(bool sent) {
  const Deadline deadline = In(statement_max_);
  if (!sent) {
    return Lost();
  }
  absl::Status status = Flush(deadline);
  if (!status.ok()) {
    return status;
  }
  SqlResult rows;
  absl::Status failure;
  for (;;) {
    status = AwaitResult(deadline);
    if (!status.ok()) {
      return status;
    }
    const Result result(PQgetResult(connection_.get()));
    if (result == nullptr) {
      break;
    }
    rows = RowsOf(result.get());
    failure.Update(ErrorOf(result.get()));
    gave_up_ = gave_up_ || EndsConnection(result.get());
  }
  if (PQstatus(connection_.get()) == CONNECTION_BAD) {
    return Lost();
  }
  if (!failure.ok()) {
    return failure;
  }
  return rows;
}

absl::StatusOr<SqlResult> PostgresConnection::Query(const std::string& sql) {
  return Collect(PQsendQuery(connection_.get(), sql.c_str()) == 1);
}

absl::Status PostgresConnection::Prepare(const std::string& name, const std::string& sql) {
  return Collect(PQsendPrepare(connection_.get(), name.c_str(), sql.c_str(), 0, nullptr) == 1)
      .status();
}

absl::StatusOr<SqlResult> PostgresConnection::ExecutePrepared(
    const std::string& name, std::initializer_list<SqlParameter> parameters) {
  std::vector<std::string> texts;
  std::transform(parameters.begin(), parameters.end(), std::back_inserter(texts), TextOf);
  std::vector<const char*> values;
  values.reserve(texts.size());
  for (const std::string& text : texts) {
    values.push_back(text.c_str());
  }
  return Collect(PQsendQueryPrepared(connection_.get(), name.c_str(),
                                     static_cast<int>(values.size()), values.data(), nullptr,
                                     nullptr, 0) == 1);
}

bool PostgresConnection::broken() const {
  return gave_up_ || PQstatus(connection_.get()) != CONNECTION_OK;
}

}  // namespace voicebridge::worker

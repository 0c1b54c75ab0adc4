#include "bridge_worker/store/postgres_error.h"

#include <algorithm>

#include "common/core/status.h"

namespace voicebridge::worker {
namespace {

constexpr std::string_view kDiskFull = "53100";
constexpr std::string_view kReadOnly = "25006";  // After a failover: a standby.

// Classes: 08 connection, 53 resources, 57 operator intervention (a cancelled statement too);
// 55P03 a lock not had in time, 40001 and 40P01 transactions that collided, 25P03 idle for too
// long.
bool MayBeTriedAgain(std::string_view state) {
  constexpr std::string_view kStates[] = {"55P03", "40001", "40P01", "25P03", kReadOnly};
  const std::string_view group = state.substr(0, 2);
  return group == "08" || group == "53" || group == "57" ||
         std::find(std::begin(kStates), std::end(kStates), state) != std::end(kStates);
}

// 22 and 23 are about data: their messages may quote it.
bool MayQuoteValues(std::string_view state) {
  const std::string_view group = state.substr(0, 2);
  return group == "22" || group == "23";
}

std::string_view Field(const PGresult* result, int field) {
  const char* text = PQresultErrorField(result, field);
  return text == nullptr ? std::string_view() : std::string_view(text);
}

bool Failed(const PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  return status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY;
}

absl::StatusCode CodeOf(std::string_view state) {
  if (state == kDiskFull) {
    return absl::StatusCode::kResourceExhausted;
  }
  // libpq reports a lost connection as an error without a state.
  return state.empty() || MayBeTriedAgain(state) ? absl::StatusCode::kUnavailable
                                                 : absl::StatusCode::kInternal;
}

}  // namespace

absl::Status ErrorOf(const PGresult* result) {
  if (!Failed(result)) {
    return absl::OkStatus();
  }
  const std::string_view state = Field(result, PG_DIAG_SQLSTATE);
  const std::string_view message = MayQuoteValues(state)
                                       ? std::string_view("data that it does not take")
                                       : Field(result, PG_DIAG_MESSAGE_PRIMARY);
  return MakeStatus(CodeOf(state), "PostgreSQL: {} ({})", message,
                    state.empty() ? "connection lost" : state);
}

bool EndsConnection(const PGresult* result) {
  const std::string_view state = Field(result, PG_DIAG_SQLSTATE);
  return state.substr(0, 4) == "57P0" || state == kReadOnly;
}

std::string MessageWithout(std::string_view password, std::string_view message) {
  std::string text(message);
  for (std::size_t at = 0; !password.empty() && (at = text.find(password, at)) != std::string::npos;
       at += 3) {
    text.replace(at, password.size(), "***");
  }
  std::replace(text.begin(), text.end(), '\n', ' ');
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

}  // namespace voicebridge::worker

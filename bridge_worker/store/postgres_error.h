// What an error of PostgreSQL means for the store.
#pragma once

#include <absl/status/status.h>
#include <libpq-fe.h>

#include <string>
#include <string_view>

namespace voicebridge::worker {

// The code by SQLSTATE; the server's message only where it cannot carry a value.
absl::Status ErrorOf(const PGresult* result);

// The server is ending the connection, or is not one that can be written to any more.
bool EndsConnection(const PGresult* result);

// One line, with the password taken out.
std::string MessageWithout(std::string_view password, std::string_view message);

}  // namespace voicebridge::worker

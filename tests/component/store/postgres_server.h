// A real PostgreSQL for one test program.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

namespace voicebridge::test {

// Its data and its socket are in a directory of its own, it listens on no port, and it keeps
// nothing: writes are not synced. Run by root it belongs to the user postgres, which PostgreSQL
// insists on. Throws std::runtime_error when there is no PostgreSQL or it does not start.
class PostgresServer {
 public:
  PostgresServer();
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  // The one of this program, started when it is first asked for and stopped when it exits.
  static PostgresServer& Shared();

  std::string Url() const;

  // Connections are cut, what is committed is kept.
  void Stop();
  void Start();

 private:
  void WaitUntilReady() const;

  std::filesystem::path directory_;
  std::filesystem::path programs_;
  pid_t server_ = -1;
};

}  // namespace voicebridge::test

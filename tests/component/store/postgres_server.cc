#include "tests/component/store/postgres_server.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "bridge_worker/store/postgres_connection.h"
#include "tests/component/store/store_fixture.h"

namespace voicebridge::test {
namespace {

const passwd* ServerUser() { return geteuid() == 0 ? getpwnam("postgres") : nullptr; }

std::filesystem::path FindPrograms() {
  std::filesystem::path newest;
  for (const auto& version : std::filesystem::directory_iterator("/usr/lib/postgresql")) {
    newest = std::max(newest, version.path() / "bin");
  }
  return newest;
}

// In the child: nothing but calls that are allowed between fork and exec.
[[noreturn]] void Become(const passwd* user, int log, char* const* arguments) {
  if (user != nullptr &&
      (setgroups(0, nullptr) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)) {
    _exit(126);
  }
  prctl(PR_SET_PDEATHSIG, SIGQUIT);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  execv(arguments[0], arguments);
  _exit(127);
}

pid_t Spawn(std::vector<std::string> words, const std::filesystem::path& log_path) {
  std::vector<char*> arguments;
  for (std::string& word : words) {
    arguments.push_back(word.data());
  }
  arguments.push_back(nullptr);
  const passwd* user = ServerUser();
  const int log = open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const pid_t child = fork();
  if (child == 0) {
    Become(user, log, arguments.data());
  }
  close(log);
  return child;
}

int Join(pid_t child) {
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

}  // namespace

PostgresServer& PostgresServer::Shared() {
  static PostgresServer server;
  return server;
}

PostgresServer::PostgresServer() : directory_(NewTemporaryDirectory()), programs_(FindPrograms()) {
  if (const passwd* user = ServerUser()) {
    if (chown(directory_.c_str(), user->pw_uid, user->pw_gid) != 0) {
      throw std::runtime_error("the server's directory cannot be handed over");
    }
  }
  const pid_t initdb =
      Spawn({programs_ / "initdb", "--pgdata=" + (directory_ / "data").string(), "--auth=trust",
             "--username=voicebridge", "--encoding=UTF8", "--no-locale", "--no-sync"},
            directory_ / "log");
  if (Join(initdb) != 0) {
    throw std::runtime_error("initdb failed, see " + (directory_ / "log").string());
  }
  Start();
}

PostgresServer::~PostgresServer() {
  Stop();
  std::filesystem::remove_all(directory_);
}

std::string PostgresServer::Url() const {
  return "postgresql://voicebridge@/postgres?host=" + directory_.string();
}

void PostgresServer::Start() {
  server_ = Spawn({programs_ / "postgres", "-D", directory_ / "data", "-k", directory_, "-c",
                   "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=40"},
                  directory_ / "log");
  WaitUntilReady();
}

void PostgresServer::WaitUntilReady() const {
  const worker::PostgresTarget target = worker::ParsePostgresUrl(Url()).value();
  const auto answers = [&target] { return worker::PostgresConnection::Open(target).ok(); };
  if (!BecomesTrue(answers)) {
    throw std::runtime_error("PostgreSQL did not start, see " + (directory_ / "log").string());
  }
}

void PostgresServer::Stop() {
  if (server_ > 0) {
    kill(server_, SIGQUIT);
    Join(server_);
    server_ = -1;
  }
}

}  // namespace voicebridge::test

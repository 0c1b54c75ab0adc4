// The command line tool of voicebridge: subcommands, help and version.
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/core/status.h"
#include "common/process/exit_code.h"
#include "common/process/leave.h"
#include "deploy/ctl/admin.h"
#include "deploy/ctl/arguments.h"
#include "deploy/ctl/drain.h"
#include "deploy/ctl/talk.h"

namespace voicebridge::ctl {
namespace {

constexpr std::string_view kUsage =
    R"(usage: voicebridgectl talk URL FILE.wav [flags]    one spoken turn through a gateway
       voicebridgectl status ADDR [flags]          how a gateway or worker is
       voicebridgectl sessions ADDR [flags]        the sessions that it holds
       voicebridgectl end-session ADDR ID [flags]  end one of them
       voicebridgectl delete-session ADDR ID [flags]  end it, and delete all that is stored of it
       voicebridgectl drain ADDR [flags]           end what it does within a budget, and refuse more
       voicebridgectl undrain ADDR [flags]         let it serve again; only while no session was closed
       voicebridgectl --help | --version

talk sends the recording as a user's turn and prints who said what.
  URL                  a gateway's Realtime endpoint, as in ws://127.0.0.1:8080/v1/realtime
  FILE.wav             speech, 0.1 s to 10 min; any format, rate and channels that libsndfile reads
  --profile=NAME       the kind of conversation (default: the gateway's, assistant)
  --out=REPLY.wav      write the answer's audio: PCM16, mono, 24 kHz
  --key=SECRET         API key or client secret (default: the environment's VOICEBRIDGE_KEY)
  --ca=FILE            certificate authority of a wss:// gateway (default: the system's)
  --json               print one JSON object instead of progress
  --realtime           send the speech at the speed of speaking, not as fast as possible
  --timeout=60s        for all of it

The others ask an admin listener (--admin_listen). Sessions are deleted at a worker: a gateway stores none.
  ADDR                 HOST:PORT of the listener
  ID                   the session's id
  --json               print one JSON object
  --timeout=10s        for the answer
  --peer_cert=FILE --peer_key=FILE --peer_ca=FILE
                       of a listener with TLS: PEM files of the certificate to show, its key, and the authorities to
                       believe (default: the environment's VOICEBRIDGE_PEER_CERT, _KEY and _CA, as of the processes)

drain shows how far it is, then what became of the sessions.
  --mode=handover      sessions move to other workers; those that cannot are closed (default)
  --mode=finish        sessions may end by themselves, until the budget nears its end
  --mode=close         sessions are told and closed at once (default of --fleet)
  --budget=3s          for all of it (default: the process's --drain_budget)
  --fleet              at a gateway: also every worker that it knows
  --exit               the process ends afterwards; else it stays, drained
  --reason=TEXT        for the logs
  --timeout=10s        without a word of the server
  --peer_cert=FILE --peer_key=FILE --peer_ca=FILE   as above
Ctrl+C ends the watching, not the drain; the same command joins it again.

Exit codes: 0 answered, or drained; 1 it failed or the command line is wrong, with the reason on standard error;
3 drained, but something was forced, not stored or unreachable; 130 Ctrl+C (143 SIGTERM) while a drain was watched.
)";

int Print(std::FILE* out, std::string_view text, ExitCode code) {
  std::fwrite(text.data(), 1, text.size(), out);
  return static_cast<int>(code);
}

int RefuseUsage(const std::string& problem) {
  std::fprintf(stderr, "voicebridgectl: %s\n\n", problem.c_str());
  return Print(stderr, kUsage, ExitCode::kBadFlags);
}

// What is wrong with a file is no matter of usage.
int Refuse(const absl::Status& status) {
  if (status.code() != absl::StatusCode::kFailedPrecondition) {
    return RefuseUsage(Message(status));
  }
  std::fprintf(stderr, "voicebridgectl: %s\n", Message(status).c_str());
  return static_cast<int>(ExitCode::kBadFlags);
}

bool Contains(const std::vector<std::string>& words, std::string_view word) {
  for (const std::string& candidate : words) {
    if (candidate == word) {
      return true;
    }
  }
  return false;
}

int Main(const std::vector<std::string>& words, net::io_context& io) {
  if (Contains(words, "--help")) {
    return Print(stdout, kUsage, ExitCode::kClean);
  }
  if (Contains(words, "--version")) {
    return Print(stdout, "voicebridgectl " VOICEBRIDGE_VERSION "\n", ExitCode::kClean);
  }
  if (words.empty()) {
    return RefuseUsage("expected a command");
  }
  const std::vector<std::string> rest(words.begin() + 1, words.end());
  if (const std::optional<AdminCommand> command = AdminCommandOf(words[0])) {
    const absl::StatusOr<AdminOptions> options = ParseAdmin(*command, rest);
    return options.ok() ? RunAdmin(*options) : Refuse(options.status());
  }
  if (words[0] == "drain") {
    const absl::StatusOr<DrainOptions> options = ParseDrain(rest);
    return options.ok() ? RunDrain(*options) : Refuse(options.status());
  }
  if (words[0] != "talk") {
    return RefuseUsage("unknown command '" + words[0] + "'");
  }
  const char* key = std::getenv("VOICEBRIDGE_KEY");
  const absl::StatusOr<TalkOptions> options = ParseTalk(rest, key == nullptr ? "" : key);
  return options.ok() ? RunTalk(*options, io) : RefuseUsage(Message(options.status()));
}

}  // namespace
}  // namespace voicebridge::ctl

int main(int argc, char** argv) {
  boost::asio::io_context io(1);
  const int code = voicebridge::ctl::Main({argv + 1, argv + argc}, io);
  // Not return: the destructor of `io` would wait for a name resolution that hangs.
  voicebridge::Leave(static_cast<voicebridge::ExitCode>(code));
}

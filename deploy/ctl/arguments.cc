#include "deploy/ctl/arguments.h"

#include <absl/time/time.h>

#include <cstddef>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "common/config/certificate_files.h"
#include "common/config/flags.h"
#include "common/core/status.h"
#include "common/rpc/wire_time.h"

namespace voicebridge::ctl {
namespace {

using OptionNames = std::set<std::string, std::less<>>;

// What a command knows.
struct Flags {
  OptionNames with_value;
  OptionNames switches;
};

const Flags kTalkFlags = {{"profile", "out", "key", "ca", "timeout"}, {"json", "realtime"}};
const Flags kAdminFlags = {{"timeout", "peer_cert", "peer_key", "peer_ca"}, {"json"}};
const Flags kDrainFlags = {
    {"mode", "budget", "reason", "timeout", "peer_cert", "peer_key", "peer_ca"},
    {"fleet", "exit", "json"}};

struct AdminCommandName {
  std::string_view word;
  AdminCommand command;
};
constexpr AdminCommandName kAdminCommands[] = {
    {"status", AdminCommand::kStatus},          {"sessions", AdminCommand::kSessions},
    {"end-session", AdminCommand::kEndSession}, {"delete-session", AdminCommand::kDeleteSession},
    {"undrain", AdminCommand::kUndrain},
};

struct DrainModeName {
  std::string_view word;
  v1::DrainRequest::Mode mode;
};
constexpr DrainModeName kDrainModes[] = {
    {"handover", v1::DrainRequest::HANDOVER},
    {"finish", v1::DrainRequest::FINISH},
    {"close", v1::DrainRequest::CLOSE},
};

struct Words {
  std::vector<std::string> operands;
  std::map<std::string, std::string, std::less<>> flags;  // Switches have an empty value.

  std::string Value(std::string_view flag) const {
    const auto found = flags.find(flag);
    return found == flags.end() ? "" : found->second;
  }
};

absl::StatusOr<Words> Sort(const std::vector<std::string>& words, const Flags& known) {
  Words sorted;
  for (auto word = words.begin(); word != words.end(); ++word) {
    if (!word->starts_with("--")) {
      sorted.operands.push_back(*word);
      continue;
    }
    const std::size_t equals = word->find('=');
    const std::string name = word->substr(2, equals == std::string::npos ? equals : equals - 2);
    const bool has_value = equals != std::string::npos;
    if (known.switches.contains(name) && !has_value) {
      sorted.flags[name] = "";
    } else if (known.with_value.contains(name) && has_value) {
      sorted.flags[name] = word->substr(equals + 1);
    } else if (known.with_value.contains(name) && word + 1 != words.end()) {
      sorted.flags[name] = *++word;
    } else if (known.switches.contains(name)) {
      return InvalidArgument("--{} takes no value", name);
    } else if (known.with_value.contains(name)) {
      return InvalidArgument("--{} needs a value", name);
    } else {
      return InvalidArgument("unknown flag --{}", name);
    }
  }
  return sorted;
}

absl::StatusOr<Url> ParseGatewayUrl(const std::string& text) {
  absl::StatusOr<Url> url = ParseUrl(text);
  if (url.ok() && url->scheme != "ws" && url->scheme != "wss") {
    return InvalidArgument("URL: '{}' must begin with ws:// or wss://", text);
  }
  return url;
}

// The flag's value, or `otherwise` when it was not given.
absl::StatusOr<Duration> DurationOf(const Words& words, std::string_view flag, Duration otherwise) {
  if (!words.flags.contains(flag)) {
    return otherwise;
  }
  const std::string text = words.Value(flag);
  absl::Duration parsed;
  if (!absl::ParseDuration(text, &parsed) || parsed < absl::Milliseconds(1) ||
      parsed > absl::Hours(1)) {
    return InvalidArgument("--{}={}: expected a duration from 1ms to 1h, as in 60s", flag, text);
  }
  return absl::ToChronoNanoseconds(parsed);
}

absl::Status CheckAddress(const std::string& address) {
  return IsHostPort(address)
             ? absl::OkStatus()
             : InvalidArgument("ADDR: '{}' is not HOST:PORT of an admin listener", address);
}

// The flag's value, else that of the gateway or worker in whose container or shell this runs.
std::string PeerFile(const Words& words, std::string_view flag, const char* variable) {
  const char* inherited = words.flags.contains(flag) ? nullptr : std::getenv(variable);
  return inherited == nullptr ? words.Value(flag) : inherited;
}

absl::StatusOr<std::optional<PeerIdentity>> PeerOf(const Words& words) {
  ConfigErrors errors;
  std::optional<Loaded<PeerIdentity>> loaded =
      LoadPeerIdentity({PeerFile(words, "peer_cert", "VOICEBRIDGE_PEER_CERT"),
                        PeerFile(words, "peer_key", "VOICEBRIDGE_PEER_KEY"),
                        PeerFile(words, "peer_ca", "VOICEBRIDGE_PEER_CA")},
                       errors);
  if (!errors.empty()) {
    return absl::FailedPreconditionError(errors.ToString());
  }
  return loaded ? std::optional(std::move(loaded->value)) : std::nullopt;
}

// HANDOVER, or CLOSE for a fleet, when it was not given.
absl::StatusOr<v1::DrainRequest::Mode> DrainModeOf(const Words& words) {
  if (!words.flags.contains("mode")) {
    return words.flags.contains("fleet") ? v1::DrainRequest::CLOSE : v1::DrainRequest::HANDOVER;
  }
  const std::string text = words.Value("mode");
  for (const DrainModeName& known : kDrainModes) {
    if (known.word == text) {
      return known.mode;
    }
  }
  return InvalidArgument("--mode={}: expected handover, finish or close", text);
}

}  // namespace

absl::StatusOr<TalkOptions> ParseTalk(const std::vector<std::string>& words,
                                      const std::string& key_from_environment) {
  const absl::StatusOr<Words> sorted = Sort(words, kTalkFlags);
  if (!sorted.ok()) {
    return sorted.status();
  }
  if (sorted->operands.size() != 2) {
    return InvalidArgument("expected URL and FILE.wav, got {} words", sorted->operands.size());
  }
  TalkOptions options;
  absl::StatusOr<Url> url = ParseGatewayUrl(sorted->operands[0]);
  if (!url.ok()) {
    return url.status();
  }
  options.url = *std::move(url);
  options.speech_path = sorted->operands[1];
  options.profile = sorted->Value("profile");
  options.out_path = sorted->Value("out");
  options.ca_file = sorted->Value("ca");
  options.key = Secret(sorted->flags.contains("key") ? sorted->Value("key") : key_from_environment);
  options.json = sorted->flags.contains("json");
  options.realtime = sorted->flags.contains("realtime");
  const absl::StatusOr<Duration> timeout = DurationOf(*sorted, "timeout", options.timeout);
  if (!timeout.ok()) {
    return timeout.status();
  }
  options.timeout = *timeout;
  return options;
}

std::optional<AdminCommand> AdminCommandOf(std::string_view word) {
  for (const AdminCommandName& known : kAdminCommands) {
    if (known.word == word) {
      return known.command;
    }
  }
  return std::nullopt;
}

absl::StatusOr<AdminOptions> ParseAdmin(AdminCommand command,
                                        const std::vector<std::string>& words) {
  const absl::StatusOr<Words> sorted = Sort(words, kAdminFlags);
  if (!sorted.ok()) {
    return sorted.status();
  }
  const bool names_session =
      command == AdminCommand::kEndSession || command == AdminCommand::kDeleteSession;
  const std::size_t expected = names_session ? 2 : 1;
  if (sorted->operands.size() != expected) {
    return InvalidArgument("expected {}, got {} words", names_session ? "ADDR and ID" : "ADDR",
                           sorted->operands.size());
  }
  AdminOptions options;
  options.command = command;
  options.address = sorted->operands[0];
  if (absl::Status address = CheckAddress(options.address); !address.ok()) {
    return address;
  }
  options.session_id = names_session ? sorted->operands[1] : "";
  options.json = sorted->flags.contains("json");
  const absl::StatusOr<Duration> timeout = DurationOf(*sorted, "timeout", options.timeout);
  if (!timeout.ok()) {
    return timeout.status();
  }
  options.timeout = *timeout;
  absl::StatusOr<std::optional<PeerIdentity>> peer = PeerOf(*sorted);
  if (!peer.ok()) {
    return peer.status();
  }
  options.peer = *std::move(peer);
  return options;
}

absl::StatusOr<DrainOptions> ParseDrain(const std::vector<std::string>& words) {
  const absl::StatusOr<Words> sorted = Sort(words, kDrainFlags);
  if (!sorted.ok()) {
    return sorted.status();
  }
  if (sorted->operands.size() != 1) {
    return InvalidArgument("expected ADDR, got {} words", sorted->operands.size());
  }
  DrainOptions options;
  options.address = sorted->operands[0];
  const absl::Status address = CheckAddress(options.address);
  const absl::StatusOr<v1::DrainRequest::Mode> mode = DrainModeOf(*sorted);
  const absl::StatusOr<Duration> budget = DurationOf(*sorted, "budget", Duration::zero());
  const absl::StatusOr<Duration> timeout = DurationOf(*sorted, "timeout", options.timeout);
  absl::StatusOr<std::optional<PeerIdentity>> peer = PeerOf(*sorted);
  for (const absl::Status& status :
       {address, mode.status(), budget.status(), timeout.status(), peer.status()}) {
    if (!status.ok()) {
      return status;
    }
  }
  const auto has = [&sorted](std::string_view flag) { return sorted->flags.contains(flag); };
  options.peer = *std::move(peer);
  options.request.set_mode(*mode);
  options.request.set_scope(has("fleet") ? v1::DrainRequest::FLEET : v1::DrainRequest::SELF);
  options.request.set_then(has("exit") ? v1::DrainRequest::EXIT : v1::DrainRequest::STAY);
  options.request.set_reason(sorted->Value("reason"));
  if (has("budget")) {
    *options.request.mutable_budget() = ToWire(*budget);
  }
  options.json = has("json");
  options.timeout = *timeout;
  return options;
}

}  // namespace voicebridge::ctl

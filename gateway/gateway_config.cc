#include "gateway/gateway_config.h"

#include <absl/flags/flag.h>
#include <absl/time/time.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "common/config/flags.h"
#include "common/config/peer_flags.h"
#include "common/core/status.h"
#include "common/drain/drain_plan.h"
#include "gateway/key_files.h"

ABSL_FLAG(std::string, listen, "127.0.0.1:8080", "HOST:PORT for browsers and SDKs");
ABSL_FLAG(std::string, admin_listen, "127.0.0.1:0",
          "HOST:PORT for the Admin, health and reflection services");
ABSL_FLAG(std::string, ops_listen, "127.0.0.1:0", "HOST:PORT for /healthz, /readyz and /metrics");
ABSL_FLAG(std::vector<std::string>, workers, {},
          "bridge workers, HOST:PORT[,HOST:PORT...], or dns:NAME:PORT for all addresses of a name");
ABSL_FLAG(absl::Duration, drain_budget, absl::Seconds(3), "time from the signal to the exit");
ABSL_FLAG(std::string, pid_file, "", "where to write the process id");
ABSL_FLAG(int, shards, 1, "session threads; scale by processes first");
ABSL_FLAG(std::string, tls_cert, "", "PEM certificate chain of the public listener");
ABSL_FLAG(std::string, tls_key, "", "PEM key of the public listener");
ABSL_FLAG(std::vector<std::string>, allowed_origins, {},
          "Origin headers accepted from browsers; empty: any, without authentication our own page");
ABSL_FLAG(int, max_sessions, 5000, "sessions held at most");
ABSL_FLAG(int, max_sessions_per_address, 1000,
          "sessions held at most for one client address (IPv6: for its /64); 0: no limit");
ABSL_FLAG(int, max_requests_per_minute_per_address, 1200,
          "upgrades and other API requests of one client address; 0: no limit");
ABSL_FLAG(int, max_connections_per_address, 1000,
          "connections without a session, of one peer; 0: no limit");
ABSL_FLAG(std::vector<std::string>, trusted_proxies, {},
          "CIDR[,CIDR...] of load balancers whose X-Forwarded-For names the client");
ABSL_FLAG(int, max_messages_per_second, 500,
          "messages of one client, twice as many at once; faster ones wait; 0: no limit");
ABSL_FLAG(std::string, api_keys, "", "file of API keys: `NAME SHA256HEX` a line");
ABSL_FLAG(std::string, signing_keys, "", "file of signing keys: `KEY_ID BASE64SECRET` a line");
ABSL_FLAG(bool, insecure_no_auth, false,
          "let anybody in, and allow admin on a non-loopback listener; for local work");
ABSL_FLAG(std::string, web_root, "", "directory of the page served at /; empty: none");
ABSL_FLAG(bool, check, false, "validate flags and files, then exit");

namespace voicebridge::gateway {
namespace {

constexpr std::string_view kByName = "dns:";
constexpr int kShardsMax = 64;
constexpr int kSessionsMax = 1'000'000;
constexpr int kRateMax = 1'000'000;

void CheckHostPort(std::string_view flag, const std::string& value, ConfigErrors& errors) {
  if (!IsHostPort(value)) {
    errors.Add(flag, fmt::format("expected HOST:PORT, got \"{}\"", value));
  }
}

int InRange(std::string_view flag, int value, int least, int most, ConfigErrors& errors) {
  if (value < least || value > most) {
    errors.Add(flag, fmt::format("expected {} to {}, got {}", least, most, value));
  }
  return value;
}

void LoadAuth(GatewayConfig& config, ConfigErrors& errors) {
  config.auth.insecure_no_auth = absl::GetFlag(FLAGS_insecure_no_auth);
  const std::string api_keys = absl::GetFlag(FLAGS_api_keys);
  if (api_keys.empty() && !config.auth.insecure_no_auth) {
    errors.Add("api_keys",
               "nobody could come in: name a file, or --insecure_no_auth for local work");
  }
  if (!api_keys.empty()) {
    config.api_keys_file = ReadNamedFile("api_keys", api_keys, errors);
  }
  if (config.api_keys_file) {
    config.auth.api_keys = ParseApiKeys(*config.api_keys_file, errors).value_or(ApiKeys());
  }
  const std::string signing_keys = absl::GetFlag(FLAGS_signing_keys);
  if (signing_keys.empty()) {
    config.auth.signing_keys = SigningKeys::Random();
    config.signing_key_is_random = true;
  } else {
    config.signing_keys_file = ReadNamedFile("signing_keys", signing_keys, errors);
  }
  if (config.signing_keys_file) {
    config.auth.signing_keys =
        ParseSigningKeys(*config.signing_keys_file, errors).value_or(SigningKeys());
  }
}

// `text`: NAME:PORT.
void LoadWorkersName(const std::string& text, GatewayConfig& config, ConfigErrors& errors) {
  CheckHostPort("workers", text, errors);
  const std::size_t colon = text.rfind(':');
  if (colon != std::string::npos) {
    config.workers_name = WorkersName{text.substr(0, colon), text.substr(colon + 1)};
  }
}

void LoadWorkers(GatewayConfig& config, ConfigErrors& errors) {
  config.workers = absl::GetFlag(FLAGS_workers);
  if (config.workers.size() == 1 && config.workers.front().starts_with(kByName)) {
    const std::string name = config.workers.front().substr(kByName.size());
    config.workers.clear();
    return LoadWorkersName(name, config, errors);
  }
  if (config.workers.empty()) {
    errors.Add("workers", "expected at least one HOST:PORT");
  }
  for (const std::string& worker : config.workers) {
    CheckHostPort("workers", worker, errors);
    if (std::count(config.workers.begin(), config.workers.end(), worker) > 1) {
      errors.Add("workers", fmt::format("\"{}\" is named twice", worker));
      return;
    }
  }
}

void LoadListeners(GatewayConfig& config, ConfigErrors& errors) {
  config.listen = absl::GetFlag(FLAGS_listen);
  config.admin_listen = absl::GetFlag(FLAGS_admin_listen);
  config.ops_listen = absl::GetFlag(FLAGS_ops_listen);
  CheckHostPort("listen", config.listen, errors);
  CheckHostPort("ops_listen", config.ops_listen, errors);
  config.peer = LoadPeerFlags(errors);
  CheckInternalListener("admin_listen", config.admin_listen, config.peer.has_value(),
                        absl::GetFlag(FLAGS_insecure_no_auth), errors);
}

void LoadCertificate(GatewayConfig& config, ConfigErrors& errors) {
  const std::string certificate = absl::GetFlag(FLAGS_tls_cert);
  const std::string key = absl::GetFlag(FLAGS_tls_key);
  if (certificate.empty() && key.empty()) {
    return;
  }
  if (certificate.empty() || key.empty()) {
    errors.Add(certificate.empty() ? "tls_cert" : "tls_key",
               "missing: certificate and key come together");
    return;
  }
  const std::optional<NamedFile> files[] = {ReadNamedFile("tls_cert", certificate, errors),
                                            ReadNamedFile("tls_key", key, errors)};
  if (!files[0] || !files[1]) {
    return;
  }
  Loaded<KeyPair> tls{{*files[0], *files[1]}, {}};
  if (std::optional<KeyPair> pair = ParseKeyPair(tls.files, errors)) {
    tls.value = *std::move(pair);
    config.tls = std::move(tls);
  }
}

void LoadAdmission(GatewayConfig& config, ConfigErrors& errors) {
  AdmissionLimits& limits = config.admission;
  limits.sessions =
      InRange("max_sessions", absl::GetFlag(FLAGS_max_sessions), 1, kSessionsMax, errors);
  limits.sessions_per_address =
      InRange("max_sessions_per_address", absl::GetFlag(FLAGS_max_sessions_per_address), 0,
              kSessionsMax, errors);
  limits.requests_per_minute =
      InRange("max_requests_per_minute_per_address",
              absl::GetFlag(FLAGS_max_requests_per_minute_per_address), 0, kRateMax, errors);
  limits.connections_per_address =
      InRange("max_connections_per_address", absl::GetFlag(FLAGS_max_connections_per_address), 0,
              kSessionsMax, errors);
  const int messages = InRange("max_messages_per_second",
                               absl::GetFlag(FLAGS_max_messages_per_second), 0, kRateMax, errors);
  config.message_rate = Rate::Of(messages, seconds(1), 2 * std::int64_t{messages});
  absl::StatusOr<TrustedProxies> proxies =
      TrustedProxies::Parse(absl::GetFlag(FLAGS_trusted_proxies));
  if (proxies.ok()) {
    config.trusted_proxies = *std::move(proxies);
  } else {
    errors.Add("trusted_proxies", Message(proxies.status()));
  }
}

void LoadPage(GatewayConfig& config, ConfigErrors& errors) {
  const std::string web_root = absl::GetFlag(FLAGS_web_root);
  if (web_root.empty()) {
    return;
  }
  absl::StatusOr<StaticFiles> page = StaticFiles::Load(web_root);
  if (page.ok()) {
    config.page = *std::move(page);
  } else {
    errors.Add("web_root", Message(page.status()));
  }
}

}  // namespace

std::vector<std::string> GatewayFlags() {
  std::vector<std::string> flags = {"listen",
                                    "admin_listen",
                                    "ops_listen",
                                    "workers",
                                    "drain_budget",
                                    "pid_file",
                                    "shards",
                                    "tls_cert",
                                    "tls_key",
                                    "allowed_origins",
                                    "api_keys",
                                    "signing_keys",
                                    "insecure_no_auth",
                                    "max_sessions",
                                    "max_sessions_per_address",
                                    "max_requests_per_minute_per_address",
                                    "max_connections_per_address",
                                    "trusted_proxies",
                                    "max_messages_per_second",
                                    "web_root",
                                    "check"};
  AddPeerFlags(flags);
  return flags;
}

absl::StatusOr<GatewayConfig> LoadGatewayConfig() {
  ConfigErrors errors;
  GatewayConfig config;
  LoadListeners(config, errors);
  LoadCertificate(config, errors);
  LoadWorkers(config, errors);
  LoadAuth(config, errors);
  LoadPage(config, errors);
  config.shards = static_cast<std::size_t>(
      InRange("shards", absl::GetFlag(FLAGS_shards), 1, kShardsMax, errors));
  LoadAdmission(config, errors);
  config.allowed_origins = absl::GetFlag(FLAGS_allowed_origins);
  config.drain_budget = absl::ToChronoNanoseconds(absl::GetFlag(FLAGS_drain_budget));
  if (const absl::Status enough = DrainPlan::Check(config.drain_budget); !enough.ok()) {
    errors.Add("drain_budget", Message(enough));
  }
  config.pid_file = absl::GetFlag(FLAGS_pid_file);
  config.check_only = absl::GetFlag(FLAGS_check);
  if (!errors.empty()) {
    return absl::InvalidArgumentError(errors.ToString());
  }
  return config;
}

}  // namespace voicebridge::gateway

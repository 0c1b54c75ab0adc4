#include "bridge_worker/worker_config.h"

#include <absl/flags/flag.h>
#include <absl/time/time.h>

#include <cstdlib>
#include <utility>

#include "bridge_worker/interview/assessment.h"
#include "bridge_worker/store/store.h"
#include "bridge_worker/tools/http_webhook.h"
#include "common/config/flags.h"
#include "common/config/peer_flags.h"
#include "common/core/certificate.h"
#include "common/core/status.h"
#include "common/drain/drain_plan.h"

ABSL_FLAG(std::string, listen, "127.0.0.1:0", "HOST:PORT for gRPC from gateways");
ABSL_FLAG(std::string, admin_listen, "127.0.0.1:0",
          "HOST:PORT for the Admin, health and reflection services");
ABSL_FLAG(std::string, ops_listen, "127.0.0.1:0", "HOST:PORT for /healthz, /readyz and /metrics");
ABSL_FLAG(int, capacity, 500, "sessions held at most");
ABSL_FLAG(absl::Duration, drain_budget, absl::Seconds(3), "time from the signal to the exit");
ABSL_FLAG(std::string, pid_file, "", "where to write the process id");
ABSL_FLAG(int, shards, 1, "session threads; scale by processes first");
ABSL_FLAG(std::string, upstream_url, "wss://api.openai.com/v1/realtime",
          "the Realtime API; ws:// only on loopback");
ABSL_FLAG(std::string, upstream_ca, "",
          "PEM file of authorities trusted for the upstream; empty: the system's");
ABSL_FLAG(std::string, responses_url, "https://api.openai.com/v1/responses",
          "the Responses API, for assessments; http:// only on loopback");
ABSL_FLAG(std::string, store, "",
          "sqlite:PATH or postgresql://...; empty: in memory, gone with the process");
ABSL_FLAG(absl::Duration, retention, absl::Hours(30 * 24),
          "how long ended conversations are kept; 0: for ever");
ABSL_FLAG(absl::Duration, assessment_lease, absl::Seconds(15),
          "after which another worker takes an assessment up");
ABSL_FLAG(int, assessments, 8, "assessments written at the same time; others queue");
ABSL_FLAG(std::string, openai_api_key_file, "", "file with the key; else OPENAI_API_KEY");
ABSL_FLAG(std::string, profiles, "/etc/voicebridge/profiles", "directory of profile files");
ABSL_FLAG(bool, insecure_no_auth, false,
          "allow unauthenticated gateways on a non-loopback listener");
ABSL_FLAG(bool, check, false, "validate flags and profiles, then exit");

namespace voicebridge::worker {
namespace {

constexpr int kShardsMax = 64;
constexpr int kCapacityMax = 100'000;
constexpr int kAssessmentsMax = 1000;
constexpr Duration kLeaseMin = seconds(1);
constexpr Duration kLeaseMax = seconds(600);

int InRange(std::string_view flag, int value, int least, int most, ConfigErrors& errors) {
  if (value < least || value > most) {
    errors.Add(flag, fmt::format("expected {} to {}, got {}", least, most, value));
  }
  return value;
}

Url LoadUpstreamUrl(ConfigErrors& errors) {
  absl::StatusOr<Url> url = ParseUrl(absl::GetFlag(FLAGS_upstream_url));
  if (!url.ok()) {
    errors.Add("upstream_url", Message(url.status()));
    return {};
  }
  if (url->scheme != "ws" && url->scheme != "wss") {
    errors.Add("upstream_url", "expected ws:// or wss://");
  } else if (!url->IsSecure() && !url->IsLoopback()) {
    errors.Add("upstream_url", "ws:// sends the key in the clear: only to loopback");
  }
  return *std::move(url);
}

Url LoadResponsesUrl(ConfigErrors& errors) {
  absl::StatusOr<Url> url = ParseUrl(absl::GetFlag(FLAGS_responses_url));
  if (!url.ok()) {
    errors.Add("responses_url", Message(url.status()));
    return {};
  }
  if (url->scheme != "http" && url->scheme != "https") {
    errors.Add("responses_url", "expected http:// or https://");
  } else if (!url->IsSecure() && !url->IsLoopback()) {
    errors.Add("responses_url", "http:// sends the key in the clear: only to loopback");
  }
  return *std::move(url);
}

void LoadStore(WorkerConfig& config, ConfigErrors& errors) {
  const std::string store = absl::GetFlag(FLAGS_store);
  if (!store.empty()) {
    config.store = store;
    config.store_is_lasting = true;
  }
  if (const auto made = MakeStore(config.store); !made.ok()) {
    errors.Add("store", Message(made.status()));
  }
  config.retention = absl::ToChronoNanoseconds(absl::GetFlag(FLAGS_retention));
  if (config.retention < Duration::zero()) {
    errors.Add("retention", "expected a duration, or 0 for no end");
  }
  config.assessment_lease = absl::ToChronoNanoseconds(absl::GetFlag(FLAGS_assessment_lease));
  if (config.assessment_lease < kLeaseMin || config.assessment_lease > kLeaseMax) {
    errors.Add("assessment_lease", "expected 1s to 10m");
  }
  config.assessments_parallel = static_cast<std::size_t>(
      InRange("assessments", absl::GetFlag(FLAGS_assessments), 1, kAssessmentsMax, errors));
}

void LoadUpstreamAuthorities(WorkerConfig& config, ConfigErrors& errors) {
  config.upstream_ca_file = absl::GetFlag(FLAGS_upstream_ca);
  if (config.upstream_ca_file.empty()) {
    return;
  }
  if (const auto file = ReadNamedFile("upstream_ca", config.upstream_ca_file, errors)) {
    if (const absl::Status usable = CheckAuthorities(file->text.Reveal()); !usable.ok()) {
      errors.Add("upstream_ca", fmt::format("{}: {}", file->path, Message(usable)));
    }
  }
}

void CheckSchemas(const Profiles& profiles, ConfigErrors& errors) {
  for (const auto& [name, profile] : profiles) {
    if (!profile.has_assessment()) {
      continue;
    }
    if (const absl::Status schema = CheckReportSchema(profile.assessment()); !schema.ok()) {
      errors.Add("profiles", fmt::format("{}.json: {}", name, Message(schema)));
    }
  }
}

void LoadKey(WorkerConfig& config, ConfigErrors& errors) {
  const std::string file = absl::GetFlag(FLAGS_openai_api_key_file);
  if (!file.empty()) {
    config.openai_api_key_file = ReadNamedFile("openai_api_key_file", file, errors);
    if (config.openai_api_key_file) {
      config.openai_api_key =
          ParseOpenAiKey(*config.openai_api_key_file, errors).value_or(Secret());
    }
    return;
  }
  if (const char* from_environment = std::getenv("OPENAI_API_KEY")) {
    config.openai_api_key = Secret(from_environment);
  }
  if (config.openai_api_key.empty()) {
    errors.Add("openai_api_key_file", "no key: set OPENAI_API_KEY or name a file that holds it");
  }
}

}  // namespace

std::optional<Secret> ParseOpenAiKey(const NamedFile& file, ConfigErrors& errors) {
  std::string key = file.text.Reveal();
  while (!key.empty() && (key.back() == '\n' || key.back() == '\r' || key.back() == ' ')) {
    key.pop_back();
  }
  if (key.empty()) {
    errors.Add(file.flag, fmt::format("\"{}\": no key: expected it on a line", file.path));
    return std::nullopt;
  }
  return Secret(std::move(key));
}

std::vector<std::string> WorkerFlags() {
  std::vector<std::string> flags = {
      "listen",    "admin_listen",     "ops_listen",   "capacity",      "drain_budget",
      "pid_file",  "shards",           "upstream_url", "upstream_ca",   "openai_api_key_file",
      "profiles",  "insecure_no_auth", "check",        "responses_url", "store",
      "retention", "assessment_lease", "assessments"};
  AddPeerFlags(flags);
  return flags;
}

absl::StatusOr<WorkerConfig> LoadWorkerConfig() {
  ConfigErrors errors;
  WorkerConfig config;
  const bool insecure = absl::GetFlag(FLAGS_insecure_no_auth);
  config.listen = absl::GetFlag(FLAGS_listen);
  config.admin_listen = absl::GetFlag(FLAGS_admin_listen);
  config.ops_listen = absl::GetFlag(FLAGS_ops_listen);
  config.peer = LoadPeerFlags(errors);
  CheckInternalListener("listen", config.listen, config.peer.has_value(), insecure, errors);
  CheckInternalListener("admin_listen", config.admin_listen, config.peer.has_value(), insecure,
                        errors);
  if (!IsHostPort(config.ops_listen)) {
    errors.Add("ops_listen", fmt::format("expected HOST:PORT, got \"{}\"", config.ops_listen));
  }
  config.capacity = InRange("capacity", absl::GetFlag(FLAGS_capacity), 1, kCapacityMax, errors);
  config.shards = static_cast<std::size_t>(
      InRange("shards", absl::GetFlag(FLAGS_shards), 1, kShardsMax, errors));
  config.drain_budget = absl::ToChronoNanoseconds(absl::GetFlag(FLAGS_drain_budget));
  if (const absl::Status enough = DrainPlan::Check(config.drain_budget); !enough.ok()) {
    errors.Add("drain_budget", Message(enough));
  }
  config.pid_file = absl::GetFlag(FLAGS_pid_file);
  config.upstream_url = LoadUpstreamUrl(errors);
  LoadUpstreamAuthorities(config, errors);
  config.responses_url = LoadResponsesUrl(errors);
  LoadKey(config, errors);
  LoadStore(config, errors);
  absl::StatusOr<Profiles> profiles = LoadProfiles(absl::GetFlag(FLAGS_profiles));
  if (profiles.ok()) {
    config.profiles = *std::move(profiles);
    CheckSchemas(config.profiles, errors);
    if (const absl::Status webhooks = CheckWebhooks(config.profiles); !webhooks.ok()) {
      errors.Add("profiles", Message(webhooks));
    }
  } else {
    errors.Add("profiles", Message(profiles.status()));
  }
  config.check_only = absl::GetFlag(FLAGS_check);
  if (!errors.empty()) {
    return absl::InvalidArgumentError(errors.ToString());
  }
  return config;
}

}  // namespace voicebridge::worker

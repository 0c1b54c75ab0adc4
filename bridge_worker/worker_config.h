// What a worker is told on its command line.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/config/certificate_files.h"
#include "common/config/profiles.h"
#include "common/core/secret.h"
#include "common/core/time.h"
#include "common/websocket/url.h"

namespace voicebridge::worker {

struct WorkerConfig {
  std::string listen;  // gRPC from gateways.
  std::string admin_listen;
  std::string ops_listen;
  std::optional<Loaded<PeerIdentity>> peer;  // None: grpc and admin in the clear.
  std::int64_t capacity = 0;                 // Sessions held at most.
  Duration drain_budget{};
  std::string pid_file;  // Empty: none.
  std::size_t shards = 1;
  Url upstream_url;
  std::string upstream_ca_file;  // Empty: the system's authorities.
  Url responses_url;
  Secret openai_api_key;  // As it was at start.
  std::optional<NamedFile> openai_api_key_file;
  std::string store = "sqlite::memory:";
  bool store_is_lasting = false;  // --store was given.
  Duration retention{};
  Duration assessment_lease{};
  std::size_t assessments_parallel = 1;
  Profiles profiles;
  bool check_only = false;  // Validate and exit.
};

// The key in the file that --openai_api_key_file names. nullopt: `errors` says why.
std::optional<Secret> ParseOpenAiKey(const NamedFile& file, ConfigErrors& errors);

// The names of the worker's flags, for help and environment.
std::vector<std::string> WorkerFlags();

// From the parsed flags and the environment. INVALID_ARGUMENT lists every problem, a line each.
absl::StatusOr<WorkerConfig> LoadWorkerConfig();

}  // namespace voicebridge::worker

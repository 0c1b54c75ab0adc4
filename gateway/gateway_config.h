// What a gateway is told on its command line.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/config/certificate_files.h"
#include "common/core/time.h"
#include "gateway/client/admission_ledger.h"
#include "gateway/client/auth.h"
#include "gateway/client/trusted_proxies.h"
#include "gateway/http/static_files.h"

namespace voicebridge::gateway {

// A name behind which workers are found.
struct WorkersName {
  std::string host;
  std::string port;
};

struct GatewayConfig {
  std::string listen;  // Browsers and SDKs.
  std::string admin_listen;
  std::string ops_listen;
  std::vector<std::string> workers;  // HOST:PORT each; or none, and:
  std::optional<WorkersName> workers_name;
  Duration drain_budget{};
  std::string pid_file;  // Empty: none.
  std::size_t shards = 1;
  std::optional<Loaded<KeyPair>> tls;        // None: the public listener is plain.
  std::optional<Loaded<PeerIdentity>> peer;  // None: workers and admin in the clear.
  std::vector<std::string> allowed_origins;  // Empty: any, without authentication our own page.
  AdmissionLimits admission;
  TrustedProxies trusted_proxies;
  Rate message_rate;  // Of one session's client.
  AuthPolicy auth;    // As its files were at start.
  std::optional<NamedFile> api_keys_file;
  std::optional<NamedFile> signing_keys_file;
  bool signing_key_is_random = false;  // Secrets of this gateway are good for this gateway only.
  StaticFiles page;                    // Empty: none is served.
  bool check_only = false;
};

std::vector<std::string> GatewayFlags();

// From the parsed flags. INVALID_ARGUMENT lists every problem, a line each.
absl::StatusOr<GatewayConfig> LoadGatewayConfig();

}  // namespace voicebridge::gateway

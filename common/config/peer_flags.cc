#include "common/config/peer_flags.h"

#include <absl/flags/flag.h>
#include <fmt/format.h>

ABSL_FLAG(std::string, peer_cert, "",
          "PEM certificate chain that this process shows to its peers: grpc and admin");
ABSL_FLAG(std::string, peer_key, "", "PEM key of --peer_cert");
ABSL_FLAG(std::string, peer_ca, "",
          "PEM file of authorities whose certificates peers must have on grpc and admin");

namespace voicebridge {

void AddPeerFlags(std::vector<std::string>& flags) {
  flags.insert(flags.end(), {"peer_cert", "peer_key", "peer_ca"});
}

std::optional<Loaded<PeerIdentity>> LoadPeerFlags(ConfigErrors& errors) {
  PeerPaths paths;
  paths.certificate = absl::GetFlag(FLAGS_peer_cert);
  paths.key = absl::GetFlag(FLAGS_peer_key);
  paths.authorities = absl::GetFlag(FLAGS_peer_ca);
  return LoadPeerIdentity(paths, errors);
}

void CheckInternalListener(std::string_view flag, const std::string& address, bool has_peer_tls,
                           bool insecure_no_auth, ConfigErrors& errors) {
  if (!IsHostPort(address)) {
    errors.Add(flag, fmt::format("expected HOST:PORT, got \"{}\"", address));
  } else if (!IsLoopbackHostPort(address) && !has_peer_tls && !insecure_no_auth) {
    errors.Add(flag, fmt::format("\"{}\" is not loopback: anyone who reaches it could use it; "
                                 "expected --peer_cert, --peer_key and --peer_ca, or "
                                 "--insecure_no_auth, which allows that",
                                 address));
  }
}

}  // namespace voicebridge

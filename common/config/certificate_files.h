// Certificates and keys from files. Complaints name the flag, the file and what was expected.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/config/named_file.h"
#include "common/core/certificate.h"

namespace voicebridge {

// `files`: the certificate's, then the key's. nullopt: `errors` says why.
std::optional<KeyPair> ParseKeyPair(const std::vector<NamedFile>& files, ConfigErrors& errors);

// `files`: the certificate's, the key's, the authorities'.
std::optional<PeerIdentity> ParsePeerIdentity(const std::vector<NamedFile>& files,
                                              ConfigErrors& errors);

// The flags --peer_cert, --peer_key and --peer_ca: all of them or none.
struct PeerPaths {
  std::string certificate;
  std::string key;
  std::string authorities;
};

// nullopt without an error: there are none.
std::optional<Loaded<PeerIdentity>> LoadPeerIdentity(const PeerPaths& paths, ConfigErrors& errors);

}  // namespace voicebridge

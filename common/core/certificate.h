// Certificates and keys as PEM text: what they say, and whether they belong together.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <string>

#include "common/core/secret.h"

namespace voicebridge {

struct CertificateFacts {
  std::string subject;          // As in "CN=gateway,O=example".
  std::int64_t expires_at = 0;  // Unix time in seconds.
};

// A certificate, with those that lead to its authority behind it, and its private key.
struct KeyPair {
  std::string chain;  // PEM.
  Secret key;         // PEM.
  CertificateFacts facts;
};

// What a process shows to its peers, and whom it believes.
struct PeerIdentity {
  KeyPair own;
  std::string authorities;  // PEM.
};

// Each says INVALID_ARGUMENT with what was expected, and quotes nothing of what it was given.
//
// Of the first certificate; all of them must be readable.
absl::StatusOr<CertificateFacts> ReadChain(const std::string& chain);
// The key is there, not encrypted, and that of the first certificate.
absl::Status CheckKey(const std::string& chain, const Secret& key);
absl::Status CheckAuthorities(const std::string& authorities);

}  // namespace voicebridge

// Which lines of gRPC's log tell of a peer that was refused, and why it was.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "common/rpc/grpc_log.h"

namespace voicebridge {

enum class PeerRefusalReason { kNoCertificate, kBadCertificate, kNotTls, kOther };

// In the order of the enumerators.
inline constexpr std::array<std::string_view, 4> kPeerRefusalWords = {
    "no_certificate", "bad_certificate", "not_tls", "other"};

inline std::string_view WordOf(PeerRefusalReason reason) {
  return kPeerRefusalWords[static_cast<std::size_t>(reason)];
}

struct PeerRefusal {
  PeerRefusalReason reason = PeerRefusalReason::kOther;
  std::string what;  // OpenSSL's words; nothing of what the peer sent.
};

// nullopt: it tells of something else. gRPC 1.51 has no other way to be told; its source and its
// words are an assumption that tests check with real connections.
std::optional<PeerRefusal> RefusalIn(const GrpcLine& line);

}  // namespace voicebridge

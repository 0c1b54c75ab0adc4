#include "common/rpc/peer_refusal.h"

namespace voicebridge {
namespace {

// Of connections that we accepted; those that we opened end elsewhere.
constexpr std::string_view kSource = "/chttp2_server.cc";
constexpr std::string_view kFailed = "Handshaking failed: ";
// Without it nothing was refused: the connection was silent, closed, or the server stops.
constexpr std::string_view kInTls = "SSL_ERROR_SSL";

struct Meaning {
  std::string_view words;
  PeerRefusalReason reason;
};
constexpr Meaning kMeanings[] = {
    {"peer did not return a certificate", PeerRefusalReason::kNoCertificate},
    {"certificate verify failed", PeerRefusalReason::kBadCertificate},
    {"wrong version number", PeerRefusalReason::kNotTls},
    {"http request", PeerRefusalReason::kNotTls},
    {"https proxy request", PeerRefusalReason::kNotTls},
};

// OpenSSL's own words, without its codes and what gRPC adds.
std::string_view WordsIn(std::string_view reason) {
  constexpr std::string_view kLead = "SSL routines::";
  const std::size_t lead = reason.find(kLead);
  reason = lead == std::string_view::npos ? reason : reason.substr(lead + kLead.size());
  reason = reason.substr(0, reason.find_first_of("{}\"\n"));
  return reason.substr(0, reason.find_last_not_of(' ') + 1);
}

}  // namespace

std::optional<PeerRefusal> RefusalIn(const GrpcLine& line) {
  const std::size_t reason_at = line.text.find(kInTls);
  if (!line.file.ends_with(kSource) || !line.text.starts_with(kFailed) ||
      reason_at == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view rest = line.text.substr(reason_at);
  PeerRefusal refusal;
  refusal.what = WordsIn(rest);
  for (const Meaning& known : kMeanings) {
    if (rest.find(known.words) != std::string_view::npos) {
      refusal.reason = known.reason;
    }
  }
  return refusal;
}

}  // namespace voicebridge

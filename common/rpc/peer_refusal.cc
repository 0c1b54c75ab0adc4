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
  RefusalReason reason;
};
constexpr Meaning kMeanings[] = {
    {"peer did not return a certificate", RefusalReason::kNoCertificate},
    {"certificate verify failed", RefusalReason::kBadCertificate},
    {"wrong version number", RefusalReason::kNotTls},
    {"http request", RefusalReason::kNotTls},
    {"https proxy request", RefusalReason::kNotTls},
};

}  // namespace

std::optional<PeerRefusal> RefusalIn(const GrpcLine& line) {
  const std::size_t reason_at = line.text.find(kInTls);
  if (!line.file.ends_with(kSource) || !line.text.starts_with(kFailed) ||
      reason_at == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view rest = line.text.substr(reason_at);
  PeerRefusal refusal;
  refusal.what = rest.substr(0, rest.find_first_of("{}\"\n"));
  for (const Meaning& known : kMeanings) {
    if (rest.find(known.words) != std::string_view::npos) {
      refusal.reason = known.reason;
    }
  }
  return refusal;
}

}  // namespace voicebridge

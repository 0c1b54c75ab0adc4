#include "common/composition/peer_refusals.h"

#include <prometheus/family.h>

#include <cstddef>
#include <optional>

namespace voicebridge {

PeerRefusals::PeerRefusals(prometheus::Registry& registry, const std::string& prefix,
                           Logger& logger)
    : logger_(logger) {
  prometheus::Family<prometheus::Counter>& family =
      prometheus::BuildCounter()
          .Name(prefix + "_peers_refused_total")
          .Help("Connections to the grpc and admin listeners that failed in TLS, by reason.")
          .Register(registry);
  for (std::size_t i = 0; i < kPeerRefusalWords.size(); ++i) {
    by_reason_[i] = &family.Add({{"reason", std::string(kPeerRefusalWords[i])}});
  }
}

void PeerRefusals::Hear(const GrpcLine& line) {
  if (const std::optional<PeerRefusal> refusal = RefusalIn(line)) {
    Refused(*refusal);
  } else if (line.is_error) {
    Failed(line);
  }
}

void PeerRefusals::Refused(const PeerRefusal& refusal) {
  by_reason_[static_cast<std::size_t>(refusal.reason)]->Increment();
  if (const std::optional<std::int64_t> not_logged = Admit(refusals_)) {
    logger_.Warning(
        "peer.refused",
        {{"reason", WordOf(refusal.reason)}, {"what", refusal.what}, {"not_logged", *not_logged}});
  }
}

// What failed in TLS is told elsewhere: as a refusal here, and by the status of our own calls.
void PeerRefusals::Failed(const GrpcLine& line) {
  if (line.text.find("Handshake failed") != std::string_view::npos) {
    return;
  }
  if (Admit(errors_)) {
    const std::string_view file = line.file.substr(line.file.rfind('/') + 1);
    logger_.Warning("grpc.error", {{"at", file}, {"what", line.text}});
  }
}

std::optional<std::int64_t> PeerRefusals::Admit(LogBudget& lines) {
  const TimePoint now = clock_.Now();
  const std::lock_guard lock(mutex_);
  return lines.Admit(now);
}

}  // namespace voicebridge

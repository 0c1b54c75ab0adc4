#include "common/composition/peer_security.h"

#include <utility>

namespace voicebridge {
namespace {

constexpr const char* kListener = "peer";

}  // namespace

PeerSecurity::PeerSecurity(const std::optional<Loaded<PeerIdentity>>& peer,
                           Certificates& certificates, prometheus::Registry& registry,
                           const std::string& prefix, Logger& logger)
    : peer_(peer),
      certificates_(certificates),
      tls_(peer ? std::optional(peer->value) : std::nullopt),
      refusals_(registry, prefix, logger) {
  if (peer) {
    HearGrpcLog([this](const GrpcLine& line) { refusals_.Hear(line); });
    certificates_.InForce("certificate.loaded", kListener, peer->value.own.facts);
  }
}

void PeerSecurity::ReloadBy(Reloader& reloader, std::function<void()> on_replaced) {
  if (!peer_) {
    return;
  }
  on_replaced_ = std::move(on_replaced);
  reloader.Add(peer_->files,
               [this](const auto& files, ConfigErrors& errors) { Take(files, errors); });
}

void PeerSecurity::Take(const std::vector<NamedFile>& files, ConfigErrors& errors) {
  std::optional<PeerIdentity> identity = ParsePeerIdentity(files, errors);
  if (!identity) {
    return;
  }
  const CertificateFacts facts = identity->own.facts;
  tls_.Replace(*std::move(identity));
  on_replaced_();
  certificates_.InForce("certificate.reloaded", kListener, facts);
}

}  // namespace voicebridge

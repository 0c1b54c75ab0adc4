// What protects the ports between our own processes: the identity, its renewal, who was refused.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/composition/certificates.h"
#include "common/composition/peer_refusals.h"
#include "common/composition/reloader.h"
#include "common/config/certificate_files.h"
#include "common/rpc/peer_tls.h"

namespace voicebridge {

// One in a process, as long as the process; everything that it is given outlives it.
class PeerSecurity {
 public:
  // `peer`: none: in the clear. `prefix`: as in voicebridge_worker.
  PeerSecurity(const std::optional<Loaded<PeerIdentity>>& peer, Certificates& certificates,
               prometheus::Registry& registry, const std::string& prefix, Logger& logger);

  PeerTls& tls() { return tls_; }

  // `on_replaced` is told that new channels would have a new identity; on the reloader's executor.
  void ReloadBy(Reloader& reloader, std::function<void()> on_replaced);

 private:
  void Take(const std::vector<NamedFile>& files, ConfigErrors& errors);

  const std::optional<Loaded<PeerIdentity>>& peer_;
  Certificates& certificates_;
  PeerTls tls_;
  PeerRefusals refusals_;
  std::function<void()> on_replaced_;
};

}  // namespace voicebridge

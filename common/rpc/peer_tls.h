// TLS between our own processes: both sides show a certificate, and both verify it.
#pragma once

#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "common/core/certificate.h"

namespace voicebridge {

// Owned by the composition root; it outlives the servers, which come back to it with each
// connection. Replace and ForChannels may be called from any thread.
//
// Why not gRPC's own file watcher: it takes certificate and key one after the other and drops what
// it has when they do not fit. Here a connection is made with one identity that was checked.
class PeerTls {
 public:
  explicit PeerTls(std::optional<PeerIdentity> identity);  // None: in the clear.
  ~PeerTls();
  PeerTls(const PeerTls&) = delete;
  PeerTls& operator=(const PeerTls&) = delete;

  bool on() const { return identity_.load() != nullptr; }

  // For connections from now on; those that are there live on.
  void Replace(PeerIdentity identity);

  // For one listener that is about to be opened. Clients without a certificate of the authorities
  // are refused.
  std::shared_ptr<grpc::ServerCredentials> ForListener();

  // For channels that are opened now: they keep the identity that they were made with.
  std::shared_ptr<grpc::ChannelCredentials> ForChannels() const;

 private:
  struct Listener;

  std::atomic<std::shared_ptr<const PeerIdentity>> identity_;
  std::vector<std::unique_ptr<Listener>> listeners_;
};

// Of a client that asks once.
std::shared_ptr<grpc::ChannelCredentials> ChannelCredentialsOf(const PeerIdentity& identity);

}  // namespace voicebridge

#include "common/rpc/peer_tls.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include <string>
#include <utility>

namespace voicebridge {
namespace {

// gRPC's own wrapper has no way to say that certificates are fetched.
class FetchedServerCredentials final : public grpc::ServerCredentials {
 public:
  FetchedServerCredentials(grpc_ssl_server_certificate_config_callback fetch, void* from)
      : credentials_(grpc_ssl_server_credentials_create_with_options(
            grpc_ssl_server_credentials_create_options_using_config_fetcher(
                GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY, fetch, from))) {}
  ~FetchedServerCredentials() override { grpc_server_credentials_release(credentials_); }
  FetchedServerCredentials(const FetchedServerCredentials&) = delete;
  FetchedServerCredentials& operator=(const FetchedServerCredentials&) = delete;

  // The certificate is all that is asked of a peer.
  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  grpc_server_credentials* const credentials_;
};

}  // namespace

// What a listener was given last. gRPC fetches under a lock of the listener's.
struct PeerTls::Listener {
  explicit Listener(const std::atomic<std::shared_ptr<const PeerIdentity>>& identity)
      : current(identity) {}

  static grpc_ssl_certificate_config_reload_status Fetch(
      void* listener, grpc_ssl_server_certificate_config** config) {
    auto& self = *static_cast<Listener*>(listener);
    std::shared_ptr<const PeerIdentity> now = self.current.load();
    if (now == self.given) {
      return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    }
    self.given = std::move(now);
    const grpc_ssl_pem_key_cert_pair own{self.given->own.key.Reveal().c_str(),
                                         self.given->own.chain.c_str()};
    *config = grpc_ssl_server_certificate_config_create(self.given->authorities.c_str(), &own, 1);
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  const std::atomic<std::shared_ptr<const PeerIdentity>>& current;
  std::shared_ptr<const PeerIdentity> given;
};

PeerTls::PeerTls(std::optional<PeerIdentity> identity)
    : identity_(identity ? std::make_shared<const PeerIdentity>(*std::move(identity)) : nullptr) {}

PeerTls::~PeerTls() = default;

void PeerTls::Replace(PeerIdentity identity) {
  identity_.store(std::make_shared<const PeerIdentity>(std::move(identity)));
}

std::shared_ptr<grpc::ServerCredentials> PeerTls::ForListener() {
  if (!on()) {
    return grpc::InsecureServerCredentials();
  }
  listeners_.push_back(std::make_unique<Listener>(identity_));
  return std::make_shared<FetchedServerCredentials>(&Listener::Fetch, listeners_.back().get());
}

std::shared_ptr<grpc::ChannelCredentials> PeerTls::ForChannels() const {
  const std::shared_ptr<const PeerIdentity> identity = identity_.load();
  return identity ? ChannelCredentialsOf(*identity) : grpc::InsecureChannelCredentials();
}

std::shared_ptr<grpc::ChannelCredentials> ChannelCredentialsOf(const PeerIdentity& identity) {
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = identity.authorities;
  options.pem_private_key = identity.own.key.Reveal();
  options.pem_cert_chain = identity.own.chain;
  return grpc::SslCredentials(options);
}

}  // namespace voicebridge

#include "deploy/ctl/admin_channel.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include "common/core/status.h"
#include "common/rpc/grpc_log.h"
#include "common/rpc/peer_tls.h"

namespace voicebridge::ctl {

std::shared_ptr<grpc::Channel> ConnectToAdmin(const std::string& address,
                                              const std::optional<PeerIdentity>& peer) {
  HearGrpcLog([](const GrpcLine&) {});  // Why a call failed is said by its status.
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(
      address, peer ? ChannelCredentialsOf(*peer) : grpc::InsecureChannelCredentials(), arguments);
}

absl::Status ExplainFailure(const absl::Status& status, const std::optional<PeerIdentity>& peer) {
  if (status.code() != absl::StatusCode::kUnavailable) {
    return status;
  }
  const std::string message = Message(status);
  const auto says = [&message](const char* words) {
    return message.find(words) != std::string::npos;
  };
  if (!peer && !says("Connection refused")) {
    return Unavailable("{}; a listener with TLS wants --peer_cert, --peer_key and --peer_ca",
                       message);
  }
  if (peer && says("wrong version number")) {
    return Unavailable("{}; the listener speaks no TLS: try without --peer_cert", message);
  }
  if (peer && says("Socket closed")) {
    return Unavailable("{}; a listener that does not believe the certificate does that", message);
  }
  return status;
}

}  // namespace voicebridge::ctl

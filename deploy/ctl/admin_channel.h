// The connection to an admin listener.
#pragma once

#include <absl/status/status.h>
#include <grpcpp/channel.h>

#include <memory>
#include <optional>
#include <string>

#include "common/core/certificate.h"

namespace voicebridge::ctl {

// `address`: HOST:PORT. With `peer` over TLS, to a listener whose certificate is for that host.
// Connects with the first call.
std::shared_ptr<grpc::Channel> ConnectToAdmin(const std::string& address,
                                              const std::optional<PeerIdentity>& peer);

// What a call over such a channel failed with, and what to try when only one side speaks TLS.
absl::Status ExplainFailure(const absl::Status& status, const std::optional<PeerIdentity>& peer);

}  // namespace voicebridge::ctl

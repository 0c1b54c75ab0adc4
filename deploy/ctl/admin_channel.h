// The connection to an admin listener.
#pragma once

#include <grpcpp/channel.h>

#include <memory>
#include <string>

namespace voicebridge::ctl {

// `address`: HOST:PORT. Connects with the first call.
std::shared_ptr<grpc::Channel> ConnectToAdmin(const std::string& address);

}  // namespace voicebridge::ctl

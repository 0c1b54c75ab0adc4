// Errors as gRPC carries them: the codes are the same numbers.
#pragma once

#include <absl/status/status.h>
#include <grpcpp/support/status.h>

#include "common/core/status.h"

namespace voicebridge {

inline grpc::Status ToGrpc(const absl::Status& status) {
  return {static_cast<grpc::StatusCode>(status.code()), Message(status)};
}

inline absl::Status FromGrpc(const grpc::Status& status) {
  return {static_cast<absl::StatusCode>(status.error_code()), status.error_message()};
}

}  // namespace voicebridge

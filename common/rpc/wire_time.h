// Time on the wire: what is left, never a point in time.
#pragma once

#include <google/protobuf/duration.pb.h>

#include "common/core/deadline.h"
#include "common/core/time.h"

namespace voicebridge {

google::protobuf::Duration ToWire(Duration duration);

// Clamped to [0, one day], so that a peer's nonsense cannot overflow.
Duration FromWire(const google::protobuf::Duration& duration);

}  // namespace voicebridge

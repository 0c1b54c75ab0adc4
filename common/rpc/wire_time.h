// Time on the wire: what is left, never a point in time.
#pragma once

#include <google/protobuf/duration.pb.h>

#include <cstdint>

#include "common/core/deadline.h"
#include "common/core/time.h"

namespace voicebridge {

// A day: a peer's nonsense cannot overflow what is computed with it.
inline constexpr std::int64_t kWireSecondsMax = std::int64_t{24} * 60 * 60;

google::protobuf::Duration ToWire(Duration duration);

// Clamped to [0, kWireSecondsMax].
Duration FromWire(const google::protobuf::Duration& duration);

}  // namespace voicebridge

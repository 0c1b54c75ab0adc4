#include "common/rpc/wire_time.h"

#include <algorithm>
#include <cstdint>

namespace voicebridge {

google::protobuf::Duration ToWire(Duration duration) {
  const Duration bounded =
      std::clamp<Duration>(duration, Duration::zero(), seconds(kWireSecondsMax));
  const auto whole = std::chrono::duration_cast<seconds>(bounded);
  google::protobuf::Duration wire;
  wire.set_seconds(whole.count());
  wire.set_nanos(static_cast<std::int32_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(bounded - whole).count()));
  return wire;
}

Duration FromWire(const google::protobuf::Duration& duration) {
  const std::int64_t whole = std::clamp<std::int64_t>(duration.seconds(), 0, kWireSecondsMax);
  const std::int32_t nanos = std::clamp(duration.nanos(), 0, 999'999'999);
  return std::min<Duration>(seconds(whole) + std::chrono::nanoseconds(nanos),
                            seconds(kWireSecondsMax));
}

}  // namespace voicebridge

#include "common/runtime/wait_policy.h"

namespace voicebridge {
namespace {

// One frame interval: with any audio flowing the shard counts as busy.
constexpr Duration kBusyFor = milliseconds(20);
constexpr Duration kBusyNap = microseconds(250);
constexpr Duration kQuietNap = milliseconds(1);
constexpr Duration kIdleNap = milliseconds(5);

}  // namespace

Duration NapAfter(Duration since_last_work, std::size_t sessions) {
  if (since_last_work < kBusyFor) {
    return kBusyNap;
  }
  return sessions > 0 ? kQuietNap : kIdleNap;
}

}  // namespace voicebridge

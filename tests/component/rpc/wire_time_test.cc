#include "common/rpc/wire_time.h"

#include <gtest/gtest.h>

namespace voicebridge {
namespace {

google::protobuf::Duration Wire(std::int64_t seconds_left, std::int32_t nanos) {
  google::protobuf::Duration wire;
  wire.set_seconds(seconds_left);
  wire.set_nanos(nanos);
  return wire;
}

TEST(WireTime, SurvivesTheRoundTrip) {
  for (const Duration duration : {Duration::zero(), Duration(milliseconds(1)),
                                  Duration(milliseconds(2'999)), Duration(hours(2))}) {
    EXPECT_EQ(FromWire(ToWire(duration)), duration);
  }
}

TEST(WireTime, NeverSendsANegativeBudget) {
  EXPECT_EQ(FromWire(ToWire(-seconds(3))), Duration::zero());
}

TEST(WireTime, BoundsWhatAPeerMaySay) {
  EXPECT_EQ(FromWire(Wire(-5, 0)), Duration::zero());
  EXPECT_EQ(FromWire(Wire(1LL << 60, 0)), hours(24));
  EXPECT_EQ(FromWire(Wire(1, 2'000'000'000)), seconds(2) - std::chrono::nanoseconds(1));
  EXPECT_EQ(FromWire(ToWire(Duration::max())), hours(24));
}

}  // namespace
}  // namespace voicebridge

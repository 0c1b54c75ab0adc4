#include "gateway/client/ip_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/core/status.h"
#include "tests/unit/gateway/ip.h"

namespace voicebridge::gateway {
namespace {

using testing::HasSubstr;

bool Contains(std::string_view network, std::string_view address) {
  const auto parsed = IpNetwork::Parse(network);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  return parsed.ok() && parsed->Contains(Ip(address));
}

TEST(IpAddress, IsTheSameHoweverItIsWritten) {
  EXPECT_EQ(Ip("192.0.2.1"), Ip("::ffff:192.0.2.1"));
  EXPECT_EQ(Ip("192.0.2.1"), Ip("::FFFF:c000:201"));
  EXPECT_EQ(Ip("2001:DB8::1"), Ip("2001:db8:0:0:0:0:0:1"));
  EXPECT_EQ(Ip("fe80::1%eth0"), Ip("fe80::1"));
  EXPECT_NE(Ip("192.0.2.1"), Ip("192.0.2.2"));
  EXPECT_NE(Ip("192.0.2.1"), Ip("::192.0.2.1")) << "IPv4-compatible is something else";
  EXPECT_EQ(Ip("::ffff:192.0.2.1").ToString(), "192.0.2.1");
  EXPECT_EQ(Ip("2001:DB8:0::1").ToString(), "2001:db8::1");
}

TEST(IpAddress, IsNothingElse) {
  for (const std::string& text :
       {std::string(), std::string("localhost"), std::string("1.2.3"), std::string("1.2.3.4.5"),
        std::string("1.2.3.256"), std::string("01.2.3.4"), std::string("1.2.3.4:80"),
        std::string("[::1]"), std::string("2001:db8::1::2"), std::string(" 1.2.3.4"),
        std::string("1.2.3.4/8"), std::string("1.2.3.4\0x", 9), std::string("unknown"),
        std::string(1000, '1')}) {
    EXPECT_FALSE(IpAddress::Parse(text).has_value()) << text;
  }
}

TEST(IpAddress, OfIpv6CountsAsItsNetworkOf64Bits) {
  EXPECT_EQ(Ip("2001:db8:1:2:3:4:5:6").Party(), Ip("2001:db8:1:2::"));
  EXPECT_EQ(Ip("2001:db8:1:2::1").Party(), Ip("2001:db8:1:2:ffff::").Party());
  EXPECT_NE(Ip("2001:db8:1:2::1").Party(), Ip("2001:db8:1:3::1").Party());
  EXPECT_EQ(Ip("192.0.2.1").Party(), Ip("192.0.2.1"));
  EXPECT_NE(Ip("::ffff:192.0.2.1").Party(), Ip("::ffff:192.0.2.2").Party());
}

TEST(IpNetwork, HoldsTheAddressesOfItsPrefix) {
  EXPECT_TRUE(Contains("10.0.0.0/8", "10.255.1.2"));
  EXPECT_FALSE(Contains("10.0.0.0/8", "11.0.0.0"));
  EXPECT_TRUE(Contains("10.0.0.0/8", "::ffff:10.1.2.3"));
  EXPECT_TRUE(Contains("::ffff:10.0.0.0/104", "10.1.2.3"));
  EXPECT_TRUE(Contains("192.0.2.128/25", "192.0.2.129"));
  EXPECT_FALSE(Contains("192.0.2.128/25", "192.0.2.127"));
  EXPECT_TRUE(Contains("192.0.2.1", "192.0.2.1"));
  EXPECT_FALSE(Contains("192.0.2.1", "192.0.2.0"));
  EXPECT_TRUE(Contains("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(Contains("2001:db8::/33", "2001:db8:8000::1"));
  EXPECT_TRUE(Contains("0.0.0.0/0", "203.0.113.9"));
  EXPECT_FALSE(Contains("0.0.0.0/0", "2001:db8::1"));
  EXPECT_TRUE(Contains("::/0", "2001:db8::1"));
  EXPECT_FALSE(Contains("::/0", "203.0.113.9")) << "an IPv6 network holds no IPv4 address";
}

TEST(IpNetwork, SaysWhatIsWrong) {
  const auto problem = [](std::string_view text) {
    const auto network = IpNetwork::Parse(text);
    EXPECT_FALSE(network.ok()) << text;
    return Message(network.status());
  };
  EXPECT_THAT(problem("balancer"), HasSubstr("expected ADDRESS or ADDRESS/BITS, got \"balancer\""));
  EXPECT_THAT(problem(""), HasSubstr("expected ADDRESS"));
  EXPECT_THAT(problem("fe80::%eth0/64"), HasSubstr("expected ADDRESS"));
  EXPECT_THAT(problem("10.0.0.0/33"), HasSubstr("0 to 32 bits"));
  EXPECT_THAT(problem("10.0.0.0/"), HasSubstr("0 to 32 bits"));
  EXPECT_THAT(problem("10.0.0.0/-1"), HasSubstr("0 to 32 bits"));
  EXPECT_THAT(problem("10.0.0.0/8x"), HasSubstr("0 to 32 bits"));
  EXPECT_THAT(problem("2001:db8::/129"), HasSubstr("0 to 128 bits"));
  EXPECT_THAT(problem("10.1.2.3/8"), HasSubstr("meant is 10.0.0.0/8"));
  EXPECT_THAT(problem("2001:db8::1/32"), HasSubstr("meant is 2001:db8::/32"));
}

}  // namespace
}  // namespace voicebridge::gateway

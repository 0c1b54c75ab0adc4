#include "gateway/client/trusted_proxies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/core/status.h"

namespace voicebridge::gateway {
namespace {

using testing::HasSubstr;

TrustedProxies Proxies(const std::vector<std::string>& networks) {
  const auto proxies = TrustedProxies::Parse(networks);
  EXPECT_TRUE(proxies.ok()) << proxies.status();
  return proxies.value_or(TrustedProxies());
}

// Whose request it is that `peer` brings with these entries of X-Forwarded-For.
std::string Client(const std::vector<std::string>& trusted, std::string_view peer,
                   const std::vector<std::string_view>& forwarded) {
  return Proxies(trusted).ClientOf(*IpAddress::Parse(peer), forwarded).ToString();
}

TEST(TrustedProxies, FromAnybodyElseTheHeaderIsIgnored) {
  EXPECT_EQ(Client({}, "198.51.100.7", {"203.0.113.1"}), "198.51.100.7");
  EXPECT_EQ(Client({"10.0.0.0/8"}, "198.51.100.7", {"203.0.113.1"}), "198.51.100.7");
  EXPECT_EQ(Client({"10.0.0.0/8"}, "198.51.100.7", {"203.0.113.1", "10.0.0.1"}), "198.51.100.7");
}

TEST(TrustedProxies, TheNearestAddressThatIsNoProxysIsTheClient) {
  EXPECT_EQ(Client({"10.0.0.0/8"}, "10.0.0.1", {"203.0.113.1"}), "203.0.113.1");
  EXPECT_EQ(Client({"10.0.0.0/8"}, "10.0.0.1", {"203.0.113.1", "10.0.0.2", "10.9.9.9"}),
            "203.0.113.1");
  EXPECT_EQ(Client({"10.0.0.1", "2001:db8::/32"}, "10.0.0.1", {"203.0.113.1", "2001:db8::5"}),
            "203.0.113.1");
}

TEST(TrustedProxies, WhatAClientWritesItselfCountsForNothing) {
  EXPECT_EQ(Client({"10.0.0.0/8"}, "10.0.0.1", {"192.0.2.66", "203.0.113.1"}), "203.0.113.1");
  EXPECT_EQ(Client({"10.0.0.0/8"}, "10.0.0.1", {"10.0.0.5", "203.0.113.1", "10.0.0.2"}),
            "203.0.113.1");
  EXPECT_EQ(Client({"10.0.0.0/8"}, "10.0.0.1", {"nonsense", "203.0.113.1"}), "203.0.113.1");
}

TEST(TrustedProxies, WhereAProxySaysNothingGoodItIsTheProxy) {
  EXPECT_EQ(Client({"10.0.0.0/8"}, "10.0.0.1", {}), "10.0.0.1");
  EXPECT_EQ(Client({"10.0.0.0/8"}, "10.0.0.1", {"203.0.113.1", "unknown"}), "10.0.0.1");
  EXPECT_EQ(Client({"10.0.0.0/8"}, "10.0.0.1", {"203.0.113.1", "", "10.0.0.2"}), "10.0.0.2");
  EXPECT_EQ(Client({"10.0.0.0/8"}, "10.0.0.1", {"10.0.0.3", "10.0.0.2"}), "10.0.0.3")
      << "all are proxies: a client among them";
}

TEST(TrustedProxies, AnAddressMayBeWrittenInAnyForm) {
  EXPECT_EQ(Client({"10.0.0.0/8"}, "::ffff:10.0.0.1", {"203.0.113.1"}), "203.0.113.1");
  EXPECT_EQ(Client({"::ffff:10.0.0.0/104"}, "10.0.0.1", {"::ffff:203.0.113.1"}), "203.0.113.1");
  EXPECT_EQ(Client({"10.0.0.0/8"}, "10.0.0.1", {"203.0.113.1:5678"}), "203.0.113.1");
  EXPECT_EQ(Client({"10.0.0.0/8"}, "10.0.0.1", {"[2001:db8::9]:5678"}), "2001:db8::9");
  EXPECT_EQ(Client({"10.0.0.0/8"}, "10.0.0.1", {"[2001:db8::9]"}), "2001:db8::9");
  EXPECT_EQ(Client({"10.0.0.0/8"}, "10.0.0.1", {"2001:db8::9"}), "2001:db8::9");
  EXPECT_EQ(Client({"10.0.0.0/8"}, "10.0.0.1", {"[2001:db8::9"}), "10.0.0.1");
  EXPECT_EQ(Client({"2001:db8:0:1::/64"}, "2001:db8:0:1::2", {"203.0.113.1"}), "203.0.113.1");
}

TEST(TrustedProxies, NameTheNetworkThatIsWrong) {
  const auto refused = TrustedProxies::Parse({"10.0.0.0/8", "balancer.example"});
  EXPECT_THAT(Message(refused.status()), HasSubstr("balancer.example"));
}

}  // namespace
}  // namespace voicebridge::gateway

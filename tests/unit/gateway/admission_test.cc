#include "gateway/client/admission.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace voicebridge::gateway {
namespace {

SessionClaim ClaimOf(std::string_view address) {
  return SessionClaim{.address = IpAddress::Parse(address).value_or(IpAddress())};
}

RefusalReason Reason(const std::variant<Admission::Place, Refusal>& entered) {
  EXPECT_TRUE(std::holds_alternative<Refusal>(entered));
  return std::get<Refusal>(entered).reason;
}

bool IsAdmitted(const std::variant<Admission::Place, Refusal>& entered) {
  return std::holds_alternative<Admission::Place>(entered);
}

TEST(Admission, GivesAPlaceBackWhenNobodyHoldsItAnyMore) {
  Admission admission({.sessions = 1}, {});
  {
    auto first = admission.Enter(ClaimOf("192.0.2.1"));
    ASSERT_TRUE(IsAdmitted(first));
    EXPECT_EQ(Reason(admission.Enter(ClaimOf("192.0.2.2"))), RefusalReason::kFull);
    Admission::Place moved = std::move(std::get<Admission::Place>(first));
    EXPECT_EQ(Reason(admission.Enter(ClaimOf("192.0.2.2"))), RefusalReason::kFull);
    moved.GiveBack();
    EXPECT_TRUE(IsAdmitted(admission.Enter(ClaimOf("192.0.2.2")))) << "and given back at once";
    moved.GiveBack();  // Of what is not held nothing is given back.
    auto second = admission.Enter(ClaimOf("192.0.2.2"));
    EXPECT_EQ(Reason(admission.Enter(ClaimOf("192.0.2.3"))), RefusalReason::kFull);
  }
  EXPECT_TRUE(IsAdmitted(admission.Enter(ClaimOf("192.0.2.3"))));
}

TEST(Admission, SaysWhichLimitItWasAndWhenToTryAgain) {
  Admission admission({.sessions = 9, .sessions_per_address = 1, .requests_per_minute = 1}, {});
  SessionClaim claim{ClaimOf("192.0.2.1").address, "secret_1", 1};
  auto held = admission.Enter(claim);
  EXPECT_EQ(Reason(admission.Enter(ClaimOf("192.0.2.1"))), RefusalReason::kAddressSessions);
  claim.address = ClaimOf("192.0.2.2").address;
  EXPECT_EQ(Reason(admission.Enter(claim)), RefusalReason::kSecretSessions);
  EXPECT_FALSE(admission.TakeRequest(claim.address).has_value());
  const auto refusal = admission.TakeRequest(claim.address);
  ASSERT_TRUE(refusal.has_value());
  EXPECT_EQ(refusal->reason, RefusalReason::kAddressRequests);
  EXPECT_GT(refusal->retry_after, seconds(30));
  EXPECT_LE(refusal->retry_after, seconds(60));
}

TEST(Admission, CountsNoConnectionsOfTrustedProxies) {
  Admission admission({.connections_per_address = 1}, *TrustedProxies::Parse({"10.0.0.0/8"}));
  std::vector<std::variant<Admission::Place, Refusal>> held;
  for (int i = 0; i < 10; ++i) {
    held.push_back(admission.Connect("10.0.0.1"));
    EXPECT_TRUE(IsAdmitted(held.back()));
  }
  held.push_back(admission.Connect("192.0.2.1"));
  EXPECT_TRUE(IsAdmitted(held.back()));
  EXPECT_EQ(Reason(admission.Connect("192.0.2.1")), RefusalReason::kAddressConnections);
}

TEST(Admission, ReadsTheHeaderOfTrustedProxiesOnly) {
  const Admission admission({}, *TrustedProxies::Parse({"10.0.0.0/8"}));
  HttpRequest request;
  request.remote_address = "10.0.0.1";
  request.headers.emplace_back("x-forwarded-for", "192.0.2.66");
  request.headers.emplace_back("X-Forwarded-For", "203.0.113.1, 10.0.0.2");
  EXPECT_EQ(admission.ClientOf(request).ToString(), "203.0.113.1")
      << "several headers are one list";
  request.remote_address = "198.51.100.1";
  EXPECT_EQ(admission.ClientOf(request).ToString(), "198.51.100.1");
  request.remote_address = "";
  EXPECT_EQ(admission.ClientOf(request).ToString(), "::") << "it has gone already";
}

TEST(Admission, NeverGivesOutMoreThanThereIsToAnyNumberOfThreads) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 5000;
  Admission admission({.sessions = 3}, {});
  std::atomic<int> held = 0;
  std::atomic<int> most = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&admission, &held, &most] {
      for (int i = 0; i < kRounds; ++i) {
        const auto entered = admission.Enter(ClaimOf("192.0.2.1"));
        if (IsAdmitted(entered)) {
          const int now = held.fetch_add(1) + 1;
          int seen = most.load();
          while (now > seen && !most.compare_exchange_weak(seen, now)) {
          }
          held.fetch_sub(1);
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_GE(most.load(), 1);
  EXPECT_LE(most.load(), 3);
  std::vector<std::variant<Admission::Place, Refusal>> places;
  for (int i = 0; i < 3; ++i) {
    places.push_back(admission.Enter(ClaimOf("192.0.2.1")));
    EXPECT_TRUE(IsAdmitted(places.back())) << "all came back";
  }
  EXPECT_EQ(Reason(admission.Enter(ClaimOf("192.0.2.1"))), RefusalReason::kFull);
}

}  // namespace
}  // namespace voicebridge::gateway

#include "gateway/client/admission_ledger.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <vector>

#include "tests/unit/gateway/ip.h"

namespace voicebridge::gateway {
namespace {

using Entry = AdmissionLedger::Entry;

const TimePoint kStart{hours(1)};

SessionClaim Of(std::string_view address) { return SessionClaim{.address = Ip(address)}; }

bool MayAsk(AdmissionLedger& ledger, std::string_view address, TimePoint now = kStart) {
  return ledger.TakeRequest(Ip(address), now) == Duration::zero();
}

TEST(AdmissionLedger, CountsTheSessionsOfEachAddress) {
  AdmissionLedger ledger({.sessions = 10, .sessions_per_address = 2});
  EXPECT_EQ(ledger.Enter(Of("192.0.2.1"), kStart), Entry::kAdmitted);
  EXPECT_EQ(ledger.Enter(Of("192.0.2.1"), kStart), Entry::kAdmitted);
  EXPECT_EQ(ledger.Enter(Of("192.0.2.1"), kStart), Entry::kAddressFull);
  EXPECT_EQ(ledger.Enter(Of("192.0.2.2"), kStart), Entry::kAdmitted);
  ledger.Leave(Of("192.0.2.1"), kStart);
  EXPECT_EQ(ledger.Enter(Of("192.0.2.1"), kStart), Entry::kAdmitted);
  EXPECT_EQ(ledger.sessions(), 3);
}

TEST(AdmissionLedger, CountsSessionsInTotal) {
  AdmissionLedger ledger({.sessions = 1, .sessions_per_address = 5});
  EXPECT_EQ(ledger.Enter(Of("192.0.2.1"), kStart), Entry::kAdmitted);
  EXPECT_EQ(ledger.Enter(Of("192.0.2.2"), kStart), Entry::kFull);
  ledger.Leave(Of("192.0.2.1"), kStart);
  EXPECT_EQ(ledger.Enter(Of("192.0.2.2"), kStart), Entry::kAdmitted);
}

TEST(AdmissionLedger, CountsSessionsWithASecretWhereverTheyComeFrom) {
  AdmissionLedger ledger({});
  const auto with = [](std::string_view address, std::string secret, std::int64_t most) {
    return SessionClaim{Ip(address), std::move(secret), most};
  };
  EXPECT_EQ(ledger.Enter(with("192.0.2.1", "a", 1), kStart), Entry::kAdmitted);
  EXPECT_EQ(ledger.Enter(with("192.0.2.2", "a", 1), kStart), Entry::kSecretFull);
  EXPECT_EQ(ledger.Enter(with("192.0.2.2", "b", 1), kStart), Entry::kAdmitted);
  EXPECT_EQ(ledger.Enter(with("192.0.2.2", "", 0), kStart), Entry::kAdmitted) << "an API key";
  EXPECT_EQ(ledger.Enter(with("192.0.2.2", "c", 0), kStart), Entry::kAdmitted) << "no such limit";
  EXPECT_EQ(ledger.Enter(with("192.0.2.2", "c", 0), kStart), Entry::kAdmitted);
  ledger.Leave(with("192.0.2.1", "a", 1), kStart);
  EXPECT_EQ(ledger.Enter(with("192.0.2.2", "a", 1), kStart), Entry::kAdmitted);
}

TEST(AdmissionLedger, TakesAMinutesRequestsAtOnceAndThenInTurn) {
  AdmissionLedger ledger({.requests_per_minute = 6});
  for (int i = 0; i < 6; ++i) {
    EXPECT_TRUE(MayAsk(ledger, "192.0.2.1")) << i;
  }
  EXPECT_EQ(ledger.TakeRequest(Ip("192.0.2.1"), kStart), seconds(10));
  EXPECT_TRUE(MayAsk(ledger, "192.0.2.2")) << "each address has its own";
  EXPECT_FALSE(MayAsk(ledger, "192.0.2.1", kStart + seconds(9)));
  EXPECT_TRUE(MayAsk(ledger, "192.0.2.1", kStart + seconds(10)));
  EXPECT_FALSE(MayAsk(ledger, "192.0.2.1", kStart + seconds(10)));
}

TEST(AdmissionLedger, CountsConnectionsWithoutASession) {
  AdmissionLedger ledger({.connections_per_address = 1});
  EXPECT_TRUE(ledger.Connect(Ip("192.0.2.1"), kStart));
  EXPECT_FALSE(ledger.Connect(Ip("192.0.2.1"), kStart));
  EXPECT_TRUE(ledger.Connect(Ip("192.0.2.2"), kStart));
  ledger.Disconnect(Ip("192.0.2.1"), kStart);
  EXPECT_TRUE(ledger.Connect(Ip("192.0.2.1"), kStart));
}

TEST(AdmissionLedger, TakesAnIpv6NetworkForOneAddress) {
  AdmissionLedger ledger(
      {.sessions_per_address = 1, .requests_per_minute = 1, .connections_per_address = 1});
  EXPECT_EQ(ledger.Enter(Of("2001:db8:0:1::1"), kStart), Entry::kAdmitted);
  EXPECT_EQ(ledger.Enter(Of("2001:db8:0:1:ffff::2"), kStart), Entry::kAddressFull);
  EXPECT_EQ(ledger.Enter(Of("2001:db8:0:2::1"), kStart), Entry::kAdmitted);
  EXPECT_TRUE(MayAsk(ledger, "2001:db8:0:1::1"));
  EXPECT_FALSE(MayAsk(ledger, "2001:db8:0:1::2"));
  EXPECT_TRUE(ledger.Connect(Ip("2001:db8:0:1::3"), kStart));
  EXPECT_FALSE(ledger.Connect(Ip("2001:db8:0:1::4"), kStart));
  EXPECT_EQ(ledger.Enter(Of("192.0.2.1"), kStart), Entry::kAdmitted);
  EXPECT_EQ(ledger.Enter(Of("::ffff:192.0.2.1"), kStart), Entry::kAddressFull);
}

TEST(AdmissionLedger, WithoutLimitsRefusesNobody) {
  AdmissionLedger ledger({});
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(ledger.Enter(Of("192.0.2.1"), kStart), Entry::kAdmitted);
    ASSERT_TRUE(MayAsk(ledger, "192.0.2.1"));
    ASSERT_TRUE(ledger.Connect(Ip("192.0.2.1"), kStart));
  }
}

TEST(AdmissionLedger, ForgetsAnAddressAfterAMinuteAndNotWhatItHolds) {
  AdmissionLedger ledger({.sessions_per_address = 1, .requests_per_minute = 2});
  EXPECT_TRUE(MayAsk(ledger, "192.0.2.1"));
  EXPECT_EQ(ledger.Enter(Of("192.0.2.2"), kStart), Entry::kAdmitted);
  EXPECT_EQ(ledger.addresses(), 2U);
  EXPECT_TRUE(MayAsk(ledger, "192.0.2.3", kStart + seconds(59)));
  EXPECT_EQ(ledger.addresses(), 3U);
  EXPECT_TRUE(MayAsk(ledger, "192.0.2.3", kStart + seconds(60)));
  EXPECT_EQ(ledger.addresses(), 2U);
  EXPECT_EQ(ledger.Enter(Of("192.0.2.2"), kStart + hours(5)), Entry::kAddressFull);
  ledger.Leave(Of("192.0.2.2"), kStart + hours(5));
  EXPECT_TRUE(MayAsk(ledger, "192.0.2.3", kStart + hours(6)));
  EXPECT_EQ(ledger.addresses(), 1U);
}

TEST(AdmissionLedger, RemembersTheAddressesThatWereSeenLast) {
  AdmissionLedger ledger({.sessions_per_address = 1,
                          .requests_per_minute = 1,
                          .connections_per_address = 1,
                          .idle_addresses_max = 100});
  EXPECT_EQ(ledger.Enter(Of("192.0.2.1"), kStart), Entry::kAdmitted);
  EXPECT_TRUE(ledger.Connect(Ip("192.0.2.2"), kStart));
  EXPECT_TRUE(MayAsk(ledger, "198.51.100.1"));
  for (int i = 0; i < 100'000; ++i) {
    const std::string address = fmt::format("10.{}.{}.{}", i >> 16, (i >> 8) & 255, i & 255);
    ASSERT_TRUE(MayAsk(ledger, address));
    ASSERT_FALSE(MayAsk(ledger, address));
    ASSERT_LE(ledger.addresses(), 102U);
  }
  EXPECT_EQ(ledger.addresses(), 102U);
  EXPECT_EQ(ledger.Enter(Of("192.0.2.1"), kStart), Entry::kAddressFull) << "what is held counts";
  EXPECT_FALSE(ledger.Connect(Ip("192.0.2.2"), kStart));
  EXPECT_FALSE(MayAsk(ledger, "10.1.134.159")) << "the last one";
  EXPECT_TRUE(MayAsk(ledger, "198.51.100.1")) << "driven out, it begins anew";
}

// Everything that ever happened, looked through from the start each time.
class SlowLedger {
 public:
  explicit SlowLedger(const AdmissionLimits& limits) : limits_(limits) {}

  bool MayAsk(std::size_t who, TimePoint now) {
    // What is left of a minute's requests, kept as time.
    const Duration interval = Duration(std::chrono::minutes(1)) / limits_.requests_per_minute;
    const Duration most = interval * limits_.requests_per_minute;
    Duration left = most;
    TimePoint last = kStart;
    for (const auto& [asker, when] : requests_) {
      if (asker == who) {
        left = std::min(most, left + (when - last)) - interval;
        last = when;
      }
    }
    if (std::min(most, left + (now - last)) < interval) {
      return false;
    }
    requests_.emplace_back(who, now);
    return true;
  }

  Entry Enter(std::size_t who, const SessionClaim& claim) {
    const auto count = [&](auto holds) {
      return std::count_if(sessions_.begin(), sessions_.end(), holds);
    };
    if (static_cast<std::int64_t>(sessions_.size()) >= limits_.sessions) {
      return Entry::kFull;
    }
    if (claim.secret_sessions_max > 0 && count([&](const auto& session) {
                                           return session.second.secret_id == claim.secret_id;
                                         }) >= claim.secret_sessions_max) {
      return Entry::kSecretFull;
    }
    if (count([&](const auto& session) { return session.first == who; }) >=
        limits_.sessions_per_address) {
      return Entry::kAddressFull;
    }
    sessions_.emplace_back(who, claim);
    return Entry::kAdmitted;
  }

  std::optional<SessionClaim> LeaveAny(std::size_t dice) {
    if (sessions_.empty()) {
      return std::nullopt;
    }
    const auto left = sessions_.begin() + static_cast<std::ptrdiff_t>(dice % sessions_.size());
    SessionClaim claim = left->second;
    sessions_.erase(left);
    return claim;
  }

 private:
  const AdmissionLimits limits_;
  std::vector<std::pair<std::size_t, TimePoint>> requests_;
  std::vector<std::pair<std::size_t, SessionClaim>> sessions_;
};

TEST(AdmissionLedger, AgreesWithASlowOneInAnyOrder) {
  // Of each pair two addresses are one party.
  const std::vector<std::string> addresses = {"192.0.2.1",       "::ffff:192.0.2.1", "192.0.2.2",
                                              "::ffff:c000:202", "2001:db8::1",      "2001:db8::2",
                                              "2001:db8:0:1::",  "2001:db8:0:1::1"};
  for (unsigned seed = 0; seed < 60; ++seed) {
    std::mt19937 random(seed);
    const AdmissionLimits limits{
        .sessions = 8,
        .sessions_per_address = 3,
        .requests_per_minute = 1 + static_cast<std::int64_t>(random() % 9)};
    AdmissionLedger ledger(limits);
    SlowLedger slow(limits);
    TimePoint now = kStart;
    for (int step = 0; step < 400; ++step) {
      now += milliseconds(random() % 9000);
      const std::size_t who = random() % addresses.size();
      const IpAddress address = Ip(addresses[who]);
      const auto secret = static_cast<std::int64_t>(random() % 4);
      const SessionClaim claim{address, fmt::format("secret-{}", secret), secret};
      switch (random() % 3) {
        case 0:
          ASSERT_EQ(ledger.TakeRequest(address, now) == Duration::zero(), slow.MayAsk(who / 2, now))
              << "seed " << seed << " step " << step;
          break;
        case 1:
          ASSERT_EQ(ledger.Enter(claim, now), slow.Enter(who / 2, claim))
              << "seed " << seed << " step " << step;
          break;
        default:
          if (const auto left = slow.LeaveAny(random())) {
            ledger.Leave(*left, now);
          }
      }
    }
    while (const auto left = slow.LeaveAny(0)) {
      ledger.Leave(*left, now);
    }
    EXPECT_EQ(ledger.sessions(), 0);
    EXPECT_TRUE(MayAsk(ledger, "203.0.113.1", now + seconds(60)));
    EXPECT_EQ(ledger.addresses(), 1U) << "nothing of what is over is kept";
  }
}

}  // namespace
}  // namespace voicebridge::gateway

// Who holds how much of a gateway: sessions, connections and requests by address, sessions by
// client secret. Pure: the time is an argument.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <string>

#include "common/core/time.h"
#include "common/core/token_bucket.h"
#include "gateway/client/ip_address.h"

namespace voicebridge::gateway {

// Each 0: no limit.
struct AdmissionLimits {
  std::int64_t sessions = 0;
  std::int64_t sessions_per_address = 0;
  std::int64_t requests_per_minute = 0;      // Of one address; as many may come at once.
  std::int64_t connections_per_address = 0;  // Without a session.
  // How many addresses are remembered that hold nothing, for the requests that they have made.
  std::size_t idle_addresses_max = 65536;
};

// What one session takes up.
struct SessionClaim {
  IpAddress address;
  std::string secret_id = {};
  std::int64_t secret_sessions_max = 0;  // 0: sessions with this secret are not counted.
};

// Addresses count by their Party. What is kept is bounded: an address that holds a session or a
// connection is there with it; of all others those seen last, up to a number. One that is forgotten
// before its minute is over may come as often as a new one: whoever drives it out has as many
// addresses anyway. After a minute nothing is lost by forgetting.
class AdmissionLedger {
 public:
  explicit AdmissionLedger(const AdmissionLimits& limits);

  // Zero: this request may come. Else how long until one may.
  Duration TakeRequest(const IpAddress& address, TimePoint now);

  enum class Entry { kAdmitted, kFull, kAddressFull, kSecretFull };
  // Once admitted, Leave is owed with the same claim.
  Entry Enter(const SessionClaim& claim, TimePoint now);
  void Leave(const SessionClaim& claim, TimePoint now);

  // Once true, Disconnect is owed.
  bool Connect(const IpAddress& address, TimePoint now);
  void Disconnect(const IpAddress& address, TimePoint now);

  std::int64_t sessions() const { return sessions_; }
  std::size_t addresses() const { return addresses_.size(); }

 private:
  using IdleList = std::list<IpAddress>;
  struct Record {
    std::int64_t sessions = 0;
    std::int64_t connections = 0;
    TokenBucket requests;
    TimePoint seen;
    IdleList::iterator idle;  // Its place among the idle, when it holds nothing.
  };

  Record& Find(const IpAddress& party, TimePoint now);
  // Moves it to the end of the idle, if it holds nothing, and forgets who has to go.
  void Put(const IpAddress& party, Record& record);
  void Forget(TimePoint now);

  const AdmissionLimits limits_;
  const Rate request_rate_;
  std::int64_t sessions_ = 0;
  std::map<IpAddress, Record> addresses_;
  IdleList idle_;  // Who holds nothing, in the order in which they were seen last.
  std::map<std::string, std::int64_t, std::less<>> secrets_;
};

}  // namespace voicebridge::gateway

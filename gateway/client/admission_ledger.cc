#include "gateway/client/admission_ledger.h"

#include <functional>

namespace voicebridge::gateway {
namespace {

// The requests of this time are counted; after it an address is as good as new.
constexpr Duration kRequestPeriod = std::chrono::minutes(1);

bool IsFull(std::int64_t count, std::int64_t limit) { return limit > 0 && count >= limit; }

}  // namespace

AdmissionLedger::AdmissionLedger(const AdmissionLimits& limits)
    : limits_(limits),
      request_rate_(
          Rate::Of(limits.requests_per_minute, kRequestPeriod, limits.requests_per_minute)) {}

Duration AdmissionLedger::TakeRequest(const IpAddress& address, TimePoint now) {
  if (!request_rate_.limits()) {
    return Duration::zero();
  }
  const IpAddress party = address.Party();
  Record& record = Find(party, now);
  const Duration wait = record.requests.Take(request_rate_, now);
  Put(party, record);
  return wait;
}

AdmissionLedger::Entry AdmissionLedger::Enter(const SessionClaim& claim, TimePoint now) {
  if (IsFull(sessions_, limits_.sessions)) {
    return Entry::kFull;
  }
  const auto secret = secrets_.find(claim.secret_id);
  if (secret != secrets_.end() && IsFull(secret->second, claim.secret_sessions_max)) {
    return Entry::kSecretFull;
  }
  const IpAddress party = claim.address.Party();
  Record& record = Find(party, now);
  if (IsFull(record.sessions, limits_.sessions_per_address)) {
    return Entry::kAddressFull;
  }
  ++record.sessions;
  Put(party, record);
  if (claim.secret_sessions_max > 0) {
    ++secrets_[claim.secret_id];
  }
  ++sessions_;
  return Entry::kAdmitted;
}

void AdmissionLedger::Leave(const SessionClaim& claim, TimePoint now) {
  --sessions_;
  const IpAddress party = claim.address.Party();
  Record& record = Find(party, now);
  --record.sessions;
  Put(party, record);
  const auto secret = secrets_.find(claim.secret_id);
  if (secret != secrets_.end() && claim.secret_sessions_max > 0 && --secret->second == 0) {
    secrets_.erase(secret);
  }
}

bool AdmissionLedger::Connect(const IpAddress& address, TimePoint now) {
  const IpAddress party = address.Party();
  Record& record = Find(party, now);
  if (IsFull(record.connections, limits_.connections_per_address)) {
    return false;
  }
  ++record.connections;
  Put(party, record);
  return true;
}

void AdmissionLedger::Disconnect(const IpAddress& address, TimePoint now) {
  const IpAddress party = address.Party();
  Record& record = Find(party, now);
  --record.connections;
  Put(party, record);
}

AdmissionLedger::Record& AdmissionLedger::Find(const IpAddress& party, TimePoint now) {
  const auto [found, is_new] = addresses_.try_emplace(party);
  if (is_new) {
    found->second.idle = idle_.insert(idle_.end(), party);
  }
  found->second.seen = now;
  return found->second;
}

void AdmissionLedger::Put(const IpAddress& party, Record& record) {
  const TimePoint now = record.seen;
  if (record.idle != idle_.end()) {
    idle_.erase(record.idle);
    record.idle = idle_.end();
  }
  if (record.sessions == 0 && record.connections == 0) {
    record.idle = idle_.insert(idle_.end(), party);
  }
  Forget(now);
}

void AdmissionLedger::Forget(TimePoint now) {
  while (!idle_.empty()) {
    const auto oldest = addresses_.find(idle_.front());
    const bool is_over = now - oldest->second.seen >= kRequestPeriod;
    if (!is_over && idle_.size() <= limits_.idle_addresses_max) {
      return;
    }
    addresses_.erase(oldest);
    idle_.pop_front();
  }
}

}  // namespace voicebridge::gateway

#include "gateway/client/admission.h"

namespace voicebridge::gateway {

void Admission::Place::GiveBack() {
  Admission* const admission = std::exchange(admission_, nullptr);
  if (admission == nullptr) {
    return;
  }
  const TimePoint now = admission->clock_.Now();
  const std::lock_guard lock(admission->mutex_);
  if (is_session_) {
    admission->ledger_.Leave(claim_, now);
  } else {
    admission->ledger_.Disconnect(claim_.address, now);
  }
}

IpAddress Admission::ClientOf(const HttpRequest& request) const {
  const IpAddress peer = IpAddress::Parse(request.remote_address).value_or(IpAddress());
  return proxies_.ClientOf(peer, request.HeaderList("X-Forwarded-For"));
}

std::optional<Refusal> Admission::TakeRequest(const IpAddress& address) {
  const TimePoint now = clock_.Now();
  const std::lock_guard lock(mutex_);
  const Duration wait = ledger_.TakeRequest(address, now);
  if (wait == Duration::zero()) {
    return std::nullopt;
  }
  return Refusal{.reason = RefusalReason::kAddressRequests, .retry_after = wait};
}

std::variant<Admission::Place, Refusal> Admission::Enter(SessionClaim claim) {
  const TimePoint now = clock_.Now();
  const std::lock_guard lock(mutex_);
  switch (ledger_.Enter(claim, now)) {
    case AdmissionLedger::Entry::kAdmitted:
      break;
    case AdmissionLedger::Entry::kFull:
      return Refusal{.reason = RefusalReason::kFull};
    case AdmissionLedger::Entry::kAddressFull:
      return Refusal{.reason = RefusalReason::kAddressSessions};
    case AdmissionLedger::Entry::kSecretFull:
      return Refusal{.reason = RefusalReason::kSecretSessions};
  }
  return Place(*this, true, std::move(claim));
}

std::variant<Admission::Place, Refusal> Admission::Connect(const std::string& peer) {
  const IpAddress address = IpAddress::Parse(peer).value_or(IpAddress());
  if (proxies_.Contains(address)) {
    return Place();
  }
  const TimePoint now = clock_.Now();
  const std::lock_guard lock(mutex_);
  if (!ledger_.Connect(address, now)) {
    return Refusal{.reason = RefusalReason::kAddressConnections};
  }
  return Place(*this, false, SessionClaim{.address = address});
}

}  // namespace voicebridge::gateway

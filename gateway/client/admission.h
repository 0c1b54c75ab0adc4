// The admission of the public listener: the ledger, shared by all shards, on the system's clock.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <variant>

#include "common/async/clock.h"
#include "common/http/http_message.h"
#include "gateway/client/admission_ledger.h"
#include "gateway/client/refusal.h"
#include "gateway/client/trusted_proxies.h"

namespace voicebridge::gateway {

// Owned by the gateway, outlives its places. Requests come on every shard and each is decided at
// once, so the ledger stands behind a lock: once or twice a request, never for a frame.
class Admission {
 public:
  // A session's place, or that of a connection; given back by destruction, on any thread.
  class Place {
   public:
    Place() = default;
    Place(Place&& other) noexcept { *this = std::move(other); }
    Place& operator=(Place&& other) noexcept {
      GiveBack();
      admission_ = std::exchange(other.admission_, nullptr);
      is_session_ = other.is_session_;
      claim_ = std::move(other.claim_);
      return *this;
    }
    ~Place() { GiveBack(); }

    void GiveBack();

   private:
    friend class Admission;
    Place(Admission& admission, bool is_session, SessionClaim claim)
        : admission_(&admission), is_session_(is_session), claim_(std::move(claim)) {}

    Admission* admission_ = nullptr;  // Null: nothing is held.
    bool is_session_ = false;
    SessionClaim claim_;
  };

  Admission(const AdmissionLimits& limits, TrustedProxies proxies)
      : proxies_(std::move(proxies)), ledger_(limits) {}

  // Whose request it is; the unspecified address when the connection has none any more.
  IpAddress ClientOf(const HttpRequest& request) const;

  // nullopt: it may come.
  std::optional<Refusal> TakeRequest(const IpAddress& address);
  std::variant<Place, Refusal> Enter(SessionClaim claim);
  // Of a connection that has no session. Connections of trusted proxies are not counted: they
  // carry those of everybody.
  std::variant<Place, Refusal> Connect(const std::string& peer);

 private:
  const TrustedProxies proxies_;
  const SystemClock clock_;
  std::mutex mutex_;
  AdmissionLedger ledger_;  // Behind the lock.
};

}  // namespace voicebridge::gateway

#include "gateway/client/refusal.h"

namespace voicebridge::gateway {
namespace {

using Reason = RefusalReason;

constexpr std::string_view kRequest = "invalid_request_error";
constexpr std::string_view kRate = "rate_limit_error";
constexpr std::string_view kServer = "server_error";

constexpr std::array<RefusalTraits, kRefusalReasons> kTable = {{
    {Reason::kNoCredential, "no_credential", 401, kRequest, "invalid_api_key",
     "Missing bearer authentication: send `Authorization: Bearer KEY`, or the subprotocol "
     "`openai-insecure-api-key.KEY` from a browser."},
    {Reason::kWrongKey, "wrong_key", 401, kRequest, "invalid_api_key",
     "Incorrect API key provided."},
    {Reason::kExpired, "expired", 401, kRequest, "invalid_api_key", "The credential has expired."},
    {Reason::kForged, "forged", 401, kRequest, "invalid_api_key",
     "The credential is not one of this service."},
    {Reason::kForeignSession, "foreign_session", 403, kRequest, "wrong_session",
     "The access token is for another session."},
    {Reason::kForeignProfile, "foreign_profile", 403, kRequest, "profile_not_allowed",
     "This client secret is for another profile."},
    {Reason::kMayNotMint, "may_not_mint", 403, kRequest, "insufficient_permissions",
     "A client secret cannot mint another one: use an API key."},
    {Reason::kForeignOrigin, "foreign_origin", 403, kRequest, "origin_not_allowed",
     "This origin may not open conversations here."},
    {Reason::kAddressRequests, "address_requests", 429, kRate, "rate_limit_exceeded",
     "Too many requests come from your address. Try again in a moment."},
    {Reason::kAddressSessions, "address_sessions", 429, kRate, "too_many_sessions",
     "Too many conversations are held from your address. End one, or try again later."},
    {Reason::kAddressConnections, "address_connections", 429, kRate, "too_many_connections",
     "Too many connections are held from your address."},
    {Reason::kSecretSessions, "secret_sessions", 429, kRate, "too_many_sessions",
     "This client secret allows no more conversations at the same time."},
    {Reason::kFull, "full", 503, kServer, "full", "This server is full. Try again in a moment."},
    {Reason::kNoWorker, "no_worker", 503, kServer, "no_worker",
     "No worker can take a conversation now."},
    {Reason::kDraining, "draining", 503, kServer, "draining",
     "This server is going away. Try again."},
}};

constexpr bool EachRowStandsAtItsNumber() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (kTable[i].reason != static_cast<Reason>(i)) {
      return false;
    }
  }
  return true;
}
static_assert(EachRowStandsAtItsNumber());

}  // namespace

const RefusalTraits& RefusalTraitsOf(RefusalReason reason) {
  return kTable[static_cast<std::size_t>(reason)];
}

}  // namespace voicebridge::gateway

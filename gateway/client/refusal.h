// Why a request is turned away: the closed list, for the answer, the counter and the log.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "common/core/time.h"

namespace voicebridge::gateway {

enum class RefusalReason {
  kNoCredential,
  kWrongKey,            // An API key that we do not know.
  kExpired,             // Ours, and its time is over.
  kForged,              // Not signed by us, or not whole.
  kForeignSession,      // An access token of another session.
  kForeignProfile,      // A client secret of another profile.
  kMayNotMint,          // A client secret where an API key is needed.
  kForeignOrigin,       // A page of a site that is not allowed.
  kAddressRequests,     // Too many requests of one address in a minute.
  kAddressSessions,     // Too many sessions of one address.
  kAddressConnections,  // Too many connections of one address that have no session.
  kSecretSessions,      // Too many sessions with one client secret.
  kFull,
  kNoWorker,
  kDraining,
};
inline constexpr std::size_t kRefusalReasons = 15;

struct RefusalTraits {
  RefusalReason reason;
  std::string_view word;  // Of metrics and logs.
  unsigned status;        // Of the answer.
  std::string_view type;  // Of OpenAI's error object.
  std::string_view code;  // Likewise.
  std::string_view message;
};

const RefusalTraits& RefusalTraitsOf(RefusalReason reason);

// One that happened.
struct Refusal {
  RefusalReason reason = RefusalReason::kNoCredential;
  std::string message = {};    // For the client; empty: the reason's.
  std::string_view code = {};  // Likewise; a literal.
  // Whose it was, as far as that is certain: the name of the API key, and the id of the client
  // secret that was minted with it.
  std::string key = {};
  std::string secret_id = {};
  Duration retry_after = {};  // Zero: what the reason says.
};

}  // namespace voicebridge::gateway

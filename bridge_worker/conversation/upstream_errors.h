// What an upstream's refusal or close means for the session, in plain words of our own: the
// upstream's texts may quote a key.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/core/end_reason.h"

namespace voicebridge::worker {

struct UpstreamFailure {
  EndReason reason;
  std::string message;
};

// An `error` event with this code before the session was ready.
UpstreamFailure FailureOfCode(std::string_view code);

// The upstream closed with this code; before or after the session was ready.
UpstreamFailure FailureOfCloseBeforeReady(std::uint16_t close_code);
UpstreamFailure FailureOfClose(std::uint16_t close_code, bool session_expired);

// The code, or "unnamed" when it is none that a log may quote.
std::string_view QuotableCode(std::string_view code);

// Whether errors with this code are about key, account or model: their text is not passed on.
bool IsRefusal(std::string_view code);

}  // namespace voicebridge::worker

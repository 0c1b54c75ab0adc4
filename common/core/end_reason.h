// What each end reason means on every surface: one table.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <string_view>

#include "voicebridge/v1/end_reason.pb.h"

namespace voicebridge {

using v1::EndReason;

struct EndReasonTraits {
  EndReason reason;
  std::uint16_t close_code;  // WebSocket (RFC 6455 section 7.4, IANA registry).
  absl::StatusCode status;   // Of the Converse call, when it ends before Ready.
  std::string_view word;     // In voicebridge.session.ended, logs and metric labels.
};

const EndReasonTraits& TraitsOf(EndReason reason);

}  // namespace voicebridge

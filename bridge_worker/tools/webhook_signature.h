// Signatures after Standard Webhooks 1.0.0, so that a receiver can tell our calls from others'.
// Pure.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "common/core/secret.h"

namespace voicebridge::worker {

// The key in a secret file: base64 behind `whsec_`, as the standard writes it, else the text
// itself, without blanks around it. INVALID_ARGUMENT: too short (16 bytes), or not base64.
absl::StatusOr<Secret> ParseWebhookSecret(std::string_view text);

// `v1,BASE64(HMAC-SHA256(id.timestamp.body))`.
std::string WebhookSignature(const Secret& key, std::string_view id, std::int64_t unix_seconds,
                             std::string_view body);

}  // namespace voicebridge::worker

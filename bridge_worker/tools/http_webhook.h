// WebhookCaller over HTTP.
#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <string>

#include "bridge_worker/tools/webhook.h"
#include "common/async/clock.h"
#include "common/config/profiles.h"

namespace voicebridge::worker {

// Whether MakeHttpWebhookCaller would do: reads the same files, keeps nothing.
absl::Status CheckWebhooks(const Profiles& profiles);

// Reads the secret files of all webhook tools. INVALID_ARGUMENT names the profiles, tools and
// fields with a URL or a secret file that cannot be used. An empty `ca_file` stands for the
// system's authorities. The clock outlives the caller.
//
// A call is POSTed with `Idempotency-Key: "SESSION/CALL_ID"` (a string in quotes, as
// draft-ietf-httpapi-idempotency-key-header has it) and the headers of Standard Webhooks, of which
// webhook-id is the same key without quotes; and with a `traceparent` of the session's trace. What
// a reply means:
//   2xx                  answered; more than 64 KiB are dropped, and the call has failed
//   408, 425, 429, 5xx   tried again if the tool is idempotent, with Retry-After if it says so
//   others               failed; redirects too, which are not followed
// A call whose request was sent and whose reply never came, or came as 502 or 504, may have been
// carried out: unless a later attempt of an idempotent tool is answered, its outcome is unknown.
absl::StatusOr<std::unique_ptr<WebhookCaller>> MakeHttpWebhookCaller(const Profiles& profiles,
                                                                     std::string ca_file,
                                                                     Clock& clock);

}  // namespace voicebridge::worker

// What becomes of a webhook call after one attempt. Pure.
#pragma once

#include "bridge_worker/tools/webhook.h"
#include "common/http/http_client.h"

namespace voicebridge::worker {

struct WebhookVerdict {
  ToolResult result;
  bool may_pass = false;  // Another attempt may go better.
};

// Of the reply, or of its absence.
WebhookVerdict JudgeWebhookReply(HttpReply reply);

// Before attempt `next` (2: the first repetition): what the reply asks for, within 10 s, else 0.5 s
// and twice that each time.
Duration WebhookBackOff(const HttpReplyHead& head, unsigned next);

}  // namespace voicebridge::worker

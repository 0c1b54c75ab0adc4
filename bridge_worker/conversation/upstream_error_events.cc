// Whose an `error` of upstream is: a race that is settled here, a command of ours, or the client's,
// which is told.
#include <algorithm>
#include <utility>

#include "bridge_worker/conversation/conversation_core.h"
#include "bridge_worker/conversation/upstream_errors.h"

namespace voicebridge::worker {

void Conversation::Core::OnError(const UpstreamEvent& event, std::string_view text) {
  ProtocolError error = ErrorOf(event.body);
  upstream_expired_ = upstream_expired_ || error.code == "session_expired";
  if (IsSettledQuietly(error)) {
    return;
  }
  const ResponseGate::Verdict verdict = gate_.Refused(error.event_id, error.code);
  if (verdict.refusal == ResponseGate::Refusal::kRetried) {
    if (!flow_.accepts_input() && verdict.purpose != ResponsePurpose::kSummary) {
      RefuseHeld();
    }
    return;
  }
  if (verdict.refusal == ResponseGate::Refusal::kDropped) {
    if (verdict.purpose == ResponsePurpose::kSummary) {
      EndSummary();
    }
    return;
  }
  if (verdict.refusal == ResponseGate::Refusal::kClosed &&
      verdict.purpose == ResponsePurpose::kSummary) {
    effects_->push_back(ReportTrouble{"summary.failed", std::string(QuotableCode(error.code))});
    return EndSummary();
  }
  if (verdict.refusal == ResponseGate::Refusal::kClosed) {
    return ForwardError(event, text, error, verdict.client_event_id);
  }
  const auto owner = OwnerOf(error);
  const bool forgotten = !owner && IsOwnEventId(error.event_id);
  ForwardError(event, text, error, owner.value_or(forgotten ? "" : error.event_id));
}

// Errors that need no answer: races that are no one's fault, and what can be repaired.
bool Conversation::Core::IsSettledQuietly(const ProtocolError& error) {
  if (error.code == "response_cancel_not_active") {
    return true;
  }
  if (error.code == "input_audio_buffer_commit_empty" && error.event_id.empty()) {
    return true;
  }
  if (error.code != "cannot_update_voice") {
    return false;
  }
  auto refused = settings_.TakeRefused(error.event_id);
  if (!refused) {
    return false;
  }
  // The model spoke while the update was on its way. All of it was dropped, so it goes again.
  ReplaceVoiceByWish(refused->session, "refused");
  SendSessionUpdate(std::move(refused->session), refused->client_event_id);
  return true;
}

// The client's id of the command that failed, when it was one that we track; empty when the client
// gave none, and our id must not be shown.
std::optional<std::string> Conversation::Core::OwnerOf(const ProtocolError& error) {
  if (auto update = settings_.TakeRefused(error.event_id)) {
    return update->client_event_id;
  }
  if (auto commit = input_.CommitRefused(error.event_id)) {
    return commit;
  }
  const auto sent = std::find_if(sent_.begin(), sent_.end(), [&](const SentCommand& command) {
    return command.event_id == error.event_id;
  });
  if (sent == sent_.end()) {
    return std::nullopt;
  }
  std::erase_if(pending_deletes_, [&](const PendingDelete& pending) {
    return pending.item_id == sent->deleted_item_id;
  });
  std::string client_event_id = std::move(sent->client_event_id);
  sent_.erase(sent);
  return client_event_id;
}

void Conversation::Core::ForwardError(const UpstreamEvent& event, std::string_view text,
                                      ProtocolError error, const std::string& client_event_id) {
  const bool refusal = IsRefusal(error.code);
  if (!refusal && client_event_id == error.event_id) {
    return Forward(event, text);
  }
  if (refusal) {
    error.message = FailureOfCode(error.code).message;  // Theirs may quote a key.
  }
  error.event_id = client_event_id;
  SendToClient(event.name, ErrorEvent(event.event_id, error));
}

}  // namespace voicebridge::worker

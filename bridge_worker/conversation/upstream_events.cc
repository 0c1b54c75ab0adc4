// What each server event does to the conversation. Events go to the client first and change the
// snapshot after that, so that a delta covers the event that caused it.
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/string.hpp>
#include <utility>

#include "bridge_worker/conversation/conversation_core.h"
#include "bridge_worker/conversation/session_config.h"
#include "bridge_worker/conversation/upstream_errors.h"
#include "common/core/audio.h"
#include "common/core/base64.h"

namespace voicebridge::worker {
namespace {

std::uint64_t UnsignedOr(const json::object& object, std::string_view key,
                         std::uint64_t otherwise) {
  const auto value = FindInteger(object, key);
  return value && *value >= 0 ? static_cast<std::uint64_t>(*value) : otherwise;
}

// Absent counts as null: the item is the first one.
Transcript::Placement PlacementOf(const json::object& body) {
  return {true, std::string(StringOr(body, "previous_item_id"))};
}

// Only an explicit null says that a response writes to no conversation.
bool IsOutOfBand(const json::object& body) {
  const json::value* conversation = FindPath(body, "response.conversation_id");
  return conversation != nullptr && conversation->is_null();
}

}  // namespace

void Conversation::Core::OnUpstreamEvent(const UpstreamEvent& event, std::string_view text) {
  if (!tools_.empty()) {
    ObserveCalls(event);
  }
  switch (event.type) {
    case UpstreamEventType::kUnknown:
      ++protocol_errors_;
      return Forward(event, text);
    case UpstreamEventType::kPassedOn:
    case UpstreamEventType::kArgumentsDone:
    case UpstreamEventType::kSessionCreated:
      return Forward(event, text);
    case UpstreamEventType::kError:
      return OnError(event, text);
    case UpstreamEventType::kSessionUpdated:
      return OnSessionUpdated(event, text);
    case UpstreamEventType::kItemAdded:
      return OnItemAdded(event, text);
    case UpstreamEventType::kItemDone:
      return OnItemDone(event, text);
    case UpstreamEventType::kItemDeleted:
      return OnItemDeleted(event, text);
    case UpstreamEventType::kItemTruncated:
      return OnItemTruncated(event, text);
    case UpstreamEventType::kTranscriptionCompleted:
    case UpstreamEventType::kTranscriptionFailed:
      return OnTranscription(event, text);
    case UpstreamEventType::kInputCommitted:
      return OnInputCommitted(event, text);
    case UpstreamEventType::kSpeechStarted:
      return OnSpeechStarted(event, text);
    case UpstreamEventType::kInputTimedOut:
    case UpstreamEventType::kSpeechStopped:
      return OnSpeechEnded(event, text);
    case UpstreamEventType::kResponseCreated:
      return OnResponseCreated(event, text);
    case UpstreamEventType::kResponseDone:
      return OnResponseDone(event, text);
    case UpstreamEventType::kOutputItemAdded:
      return OnOutputItemAdded(event, text);
    case UpstreamEventType::kOutputItemDone:
      return OnOutputItemDone(event, text);
    case UpstreamEventType::kAudioDelta:
      return OnAudioDelta(event);
    case UpstreamEventType::kTranscriptDelta:
      return OnTranscriptDelta(event, text);
  }
}

void Conversation::Core::Forward(const UpstreamEvent& event, std::string_view text,
                                 std::string_view drops_audio_of) {
  if (!replayed_.empty() && IsReplayed(event)) {
    return;
  }
  if (tools_.empty()) {
    SendToClient(event.name, std::string(text), drops_audio_of);
  } else if (auto visible = VisibleText(event, text)) {
    SendToClient(event.name, *std::move(visible), drops_audio_of);
  }
}

void Conversation::Core::OnSessionUpdated(const UpstreamEvent& event, std::string_view text) {
  Forward(event, text);
  if (const json::object* session = FindObject(event.body, "session")) {
    settings_.Confirmed(*session);
    transcript_.SetSession(PortableSession(*session));
  } else {
    ++protocol_errors_;
  }
}

void Conversation::Core::OnItemAdded(const UpstreamEvent& event, std::string_view text) {
  Forward(event, text);
  if (const json::object* item = FindObject(event.body, "item")) {
    transcript_.ItemAdded(*item, PlacementOf(event.body), settings_.Transcribes());
  } else {
    ++protocol_errors_;
  }
}

void Conversation::Core::OnItemDone(const UpstreamEvent& event, std::string_view text) {
  Forward(event, text);
  if (const json::object* item = FindObject(event.body, "item")) {
    NoteItemDone(*item, PlacementOf(event.body));
  } else {
    ++protocol_errors_;
  }
}

void Conversation::Core::OnOutputItemAdded(const UpstreamEvent& event, std::string_view text) {
  Forward(event, text);
  const json::value* type = FindPath(event.body, "item.type");
  if (type != nullptr && *type == "message" && !event.item_id.empty()) {
    output_.Begin(event.item_id, event.response_id);
  }
}

void Conversation::Core::OnOutputItemDone(const UpstreamEvent& event, std::string_view text) {
  Forward(event, text);
  const json::object* item = FindObject(event.body, "item");
  if (item != nullptr && !gate_.IsOutOfBand(event.response_id)) {
    NoteItemDone(*item, {});
  }
}

void Conversation::Core::NoteItemDone(const json::object& item,
                                      const Transcript::Placement& placement) {
  const std::string_view id = StringOr(item, "id");
  output_.ItemDone(id);
  const auto audio = output_.StateOf(id);
  transcript_.ItemDone(item, placement, audio ? audio->generated : 0);
}

void Conversation::Core::OnItemDeleted(const UpstreamEvent& event, std::string_view text) {
  const auto pending = std::find_if(
      pending_deletes_.begin(), pending_deletes_.end(),
      [&](const PendingDelete& candidate) { return candidate.item_id == event.item_id; });
  if (pending != pending_deletes_.end()) {
    SendToClient(
        "conversation.item.truncated",
        ItemTruncatedEvent("event_" + NextEventId(), event.item_id, pending->content_index, 0),
        pending->response_id);
    pending_deletes_.erase(pending);
  }
  Forward(event, text);
  output_.Deleted(event.item_id);
  transcript_.ItemDeleted(event.item_id);
}

void Conversation::Core::OnItemTruncated(const UpstreamEvent& event, std::string_view text) {
  Forward(event, text, output_.ResponseOf(event.item_id));
  const v1::ConversationItem* item = transcript_.Find(event.item_id);
  if (item == nullptr) {
    return;
  }
  const std::uint64_t total = std::max(output_.GeneratedFor(event.item_id), item->audio_samples());
  const std::uint64_t kept =
      std::min(total, SamplesOfMilliseconds(UnsignedOr(event.body, "audio_end_ms", 0)));
  output_.Truncate(event.item_id, kept);
  transcript_.ItemTruncated(event.item_id, kept, total);
}

void Conversation::Core::OnTranscription(const UpstreamEvent& event, std::string_view text) {
  Forward(event, text);
  if (event.type == UpstreamEventType::kTranscriptionCompleted) {
    transcript_.TranscriptionCompleted(event.item_id, StringOr(event.body, "transcript"));
  } else {
    const json::object* error = FindObject(event.body, "error");
    effects_->push_back(
        ReportTrouble{"transcription.failed",
                      std::string(QuotableCode(error == nullptr ? "" : StringOr(*error, "code")))});
    transcript_.TranscriptionFailed(event.item_id);
  }
}

void Conversation::Core::OnInputCommitted(const UpstreamEvent& event, std::string_view text) {
  Forward(event, text);
  const auto commit = input_.Committed(event.item_id);
  const std::uint64_t before = transcript_.snapshot().committed_through_sample();
  const std::uint64_t through = std::max(before, commit ? commit->through_sample : 0);
  flow_.UserTurn(now_);
  awaits_reply_ = true;
  transcript_.Committed(event.item_id, PlacementOf(event.body), through, settings_.Transcribes());
  if (commit && commit->by_voice_activity && settings_.RespondsOnItsOwn()) {
    gate_.ExpectUnasked(now_);
  }
  PublishDeltas();  // The gateway may forget the audio only once its copy holds the item.
  if (through > before) {
    effects_->push_back(AcceptAudio{through});
  }
}

void Conversation::Core::OnSpeechStarted(const UpstreamEvent& event, std::string_view text) {
  answer_.Forget();
  const auto active = gate_.ActiveResponse();
  if (!active || !settings_.InterruptsOnSpeech()) {
    return Forward(event, text);
  }
  DropAudio(*active);
  Forward(event, text, *active);
}

void Conversation::Core::OnSpeechEnded(const UpstreamEvent& event, std::string_view text) {
  Forward(event, text);
  if (event.type == UpstreamEventType::kSpeechStopped) {
    answer_.TurnEnded(now_);
  }
  input_.SpeechEnded(event.item_id, UnsignedOr(event.body, "audio_end_ms", 0));
}

void Conversation::Core::OnResponseCreated(const UpstreamEvent& event, std::string_view text) {
  Forward(event, text);
  if (event.response_id.empty()) {
    ++protocol_errors_;
  } else if (gate_.Created(event.response_id, IsOutOfBand(event.body))) {
    if (const auto target = gate_.Cancel(event.response_id)) {
      SendCancel(*target, {});
    }
  }
}

void Conversation::Core::OnResponseDone(const UpstreamEvent& event, std::string_view text) {
  Forward(event, text);
  ReportResponse(event.body);
  if (event.response_id.empty()) {
    ++protocol_errors_;
    return;
  }
  output_.ResponseDone(event.response_id);
  const json::object* response = FindObject(event.body, "response");
  const json::array* items = response == nullptr ? nullptr : FindArray(*response, "output");
  if (items != nullptr && !gate_.IsOutOfBand(event.response_id) && !IsOutOfBand(event.body)) {
    for (const json::value& item : *items) {
      if (item.is_object()) {
        NoteItemDone(item.get_object(), {});
      }
    }
  }
  const bool summary = gate_.PurposeOf(event.response_id) == ResponsePurpose::kSummary;
  awaits_reply_ = false;
  gate_.Done(event.response_id);
  if (summary) {
    EndSummary();
  }
}

// A response that was cancelled is not in trouble.
void Conversation::Core::ReportResponse(const json::object& body) {
  const auto text_at = [&body](std::string_view path) {
    const json::value* value = FindPath(body, path);
    return value != nullptr && value->is_string() ? View(value->get_string()) : std::string_view();
  };
  const std::string_view status = text_at("response.status");
  if (status == "failed") {
    const std::string_view code = text_at("response.status_details.error.code");
    const std::string_view type = text_at("response.status_details.error.type");
    effects_->push_back(
        ReportTrouble{"response.failed", std::string(QuotableCode(code.empty() ? type : code))});
  } else if (status == "incomplete") {
    effects_->push_back(
        ReportTrouble{"response.incomplete",
                      std::string(QuotableCode(text_at("response.status_details.reason")))});
  }
}

void Conversation::Core::OnAudioDelta(const UpstreamEvent& event) {
  auto bytes = DecodeBase64(StringOr(event.body, "delta"));
  if (!bytes || event.item_id.empty()) {
    ++protocol_errors_;
    return;
  }
  const bool wanted = !gate_.IsSilenced(event.response_id) && !output_.WasTruncated(event.item_id);
  OutputAudio::Piece piece =
      output_.Add(event.item_id, event.response_id, *std::move(bytes), wanted);
  if (wanted && !piece.pcm.empty()) {
    SendClientAudio effect;
    effect.audio.set_seq(++seq_);
    effect.audio.set_item_id(event.item_id);
    effect.audio.set_response_id(event.response_id);
    effect.audio.set_output_index(
        static_cast<std::uint32_t>(UnsignedOr(event.body, "output_index", 0)));
    effect.audio.set_content_index(
        static_cast<std::uint32_t>(UnsignedOr(event.body, "content_index", 0)));
    effect.audio.set_first_sample(piece.first_sample);
    effect.audio.set_pcm(std::move(piece.pcm));
    effect.audio.set_event_id(event.event_id);
    effects_->push_back(std::move(effect));
    transcript_.CoverSeq(seq_);
    if (const auto turn_ended = answer_.Heard(event.response_id)) {
      answer_delay_ = now_ - *turn_ended;
    }
  }
  transcript_.AudioHeard();
}

void Conversation::Core::OnTranscriptDelta(const UpstreamEvent& event, std::string_view text) {
  Forward(event, text);
  transcript_.TranscriptGrew(event.item_id, StringOr(event.body, "delta"));
}

}  // namespace voicebridge::worker

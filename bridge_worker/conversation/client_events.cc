// What each client event does to the conversation. Types that are not listed pass unchanged.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/string.hpp>
#include <cmath>
#include <utility>

#include "bridge_worker/conversation/conversation_core.h"
#include "bridge_worker/conversation/session_config.h"
#include "common/core/audio.h"

namespace voicebridge::worker {
namespace {

constexpr std::string_view kVoicePath = "audio.output.voice";
constexpr std::size_t kPendingDeletesMax = 64;
constexpr std::size_t kVoiceNameMax = 64;

ProtocolError Invalid(std::string_view code, std::string_view param, std::string message) {
  ProtocolError error;
  error.code = code;
  error.param = param;
  error.message = std::move(message);
  return error;
}

ProtocolError Missing(std::string_view param) {
  return Invalid("missing_required_parameter", param,
                 fmt::format("Missing required parameter: '{}'.", param));
}

// A number that counts something, rounded down; nullopt for anything else.
std::optional<std::uint64_t> CountOf(const json::value& value) {
  boost::system::error_code error;
  const double number = value.to_number<double>(error);
  if (error || !(number >= 0) || number > 1e15) {
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(std::floor(number));
}

std::string NameOfVoice(const json::value& voice) {
  std::string_view name;
  if (const json::string* text = voice.if_string()) {
    name = View(*text);
  } else if (const json::object* custom = voice.if_object()) {
    name = StringOr(*custom, "id");
  }
  return std::string(name.substr(0, kVoiceNameMax));
}

// Objects that are left empty go too.
void EraseVoice(json::object& settings) {
  json::object& audio = settings["audio"].get_object();
  json::object& output = audio["output"].get_object();
  output.erase("voice");
  if (output.empty()) {
    audio.erase("output");
  }
  if (audio.empty()) {
    settings.erase("audio");
  }
}

const json::value* VoiceOf(const json::object& settings) {
  const json::value* voice = FindPath(settings, kVoicePath);
  return voice == nullptr || voice->is_null() ? nullptr : voice;
}

bool IsOutOfBand(const json::object& body) {
  const json::value* conversation = FindPath(body, "response.conversation");
  return conversation != nullptr && conversation->is_string() &&
         View(conversation->get_string()) == "none";
}

// Only the model's speech can be cut: no user audio, and no text.
bool IsSpeech(const json::object& item) {
  if (StringOr(item, "type") != "message" || StringOr(item, "role") != "assistant") {
    return false;
  }
  const json::array* parts = FindArray(item, "content");
  return parts == nullptr || std::all_of(parts->begin(), parts->end(), [](const json::value& part) {
           const json::object* object = part.if_object();
           const std::string_view type = object == nullptr ? "" : StringOr(*object, "type");
           return type == "output_audio" || type == "audio";
         });
}

}  // namespace

Conversation::Core::ClientHandler Conversation::Core::HandlerOf(std::string_view type) {
  struct Entry {
    std::string_view type;
    ClientHandler handler;
  };
  static constexpr std::array kHandlers = std::to_array<Entry>({
      {"session.update", &Core::OnSessionUpdate},
      {"response.create", &Core::OnResponseCreate},
      {"response.cancel", &Core::OnResponseCancel},
      {"conversation.item.create", &Core::OnItemCreate},
      {"conversation.item.truncate", &Core::OnItemTruncate},
      {"input_audio_buffer.commit", &Core::OnInputCommit},
      {"input_audio_buffer.clear", &Core::OnInputClear},
      {"voicebridge.assessment.request", &Core::OnAssessmentRequest},
      {"voicebridge.assessment.retry", &Core::OnAssessmentRetry},
  });
  const auto* entry = std::find_if(kHandlers.begin(), kHandlers.end(),
                                   [&](const Entry& candidate) { return candidate.type == type; });
  return entry == kHandlers.end() ? nullptr : entry->handler;
}

void Conversation::Core::OnClientEvent(std::string_view type, std::string_view json) {
  const ClientHandler handler = HandlerOf(type);
  if (handler == nullptr && !RefusesInput(type)) {
    effects_->push_back(SendUpstream{std::string(json)});
    return;
  }
  const auto body = ParseObject(json);
  if (!body.ok()) {
    AnswerWithError(Invalid("invalid_json", "", "Invalid event: failed to parse JSON value."), {});
    return;
  }
  if (RefusesInput(type)) {
    return AnswerWithError(InputRefusal(), StringOr(*body, "event_id"));
  }
  (this->*handler)(*body, json);
}

void Conversation::Core::OnSessionUpdate(const json::object& body, std::string_view) {
  const std::string_view client_event_id = StringOr(body, "event_id");
  const std::string_view model = StringOr(settings_.effective(), "model", config_.profile.model());
  if (auto error = CheckSessionUpdate(body, config_.profile, model)) {
    return AnswerWithError(*std::move(error), client_event_id);
  }
  json::object session = body.at("session").get_object();
  ApplyVoicePolicy(session);
  AddProfileTools(session, config_.profile);
  SendSessionUpdate(std::move(session), client_event_id);
}

void Conversation::Core::ApplyVoicePolicy(json::object& session) {
  const json::value* wish = VoiceOf(session);
  if (wish == nullptr) {
    return;
  }
  switch (DecideVoiceNow(*wish, gate_.IsBusy())) {
    case VoiceDecision::kSend:
      return;
    case VoiceDecision::kDrop:
      return EraseVoice(session);
    case VoiceDecision::kAskOnly:
      return ReplaceVoiceByWish(session, snapshot().assistant_audio_heard()
                                             ? "assistant_audio_heard"
                                             : "response_in_progress");
  }
}

VoiceDecision Conversation::Core::DecideVoiceNow(const json::value& wish,
                                                 bool response_in_progress) const {
  const json::value* current = settings_.Latest(kVoicePath);
  VoiceSituation situation;
  situation.same_as_current = current != nullptr && *current == wish;
  situation.assistant_audio_heard = snapshot().assistant_audio_heard();
  situation.response_in_progress = response_in_progress;
  return DecideVoice(situation);
}

void Conversation::Core::ReplaceVoiceByWish(json::object& session, std::string_view why) {
  const json::value* wish = VoiceOf(session);
  if (wish == nullptr) {
    return;
  }
  effects_->push_back(ReportTrouble{"voice.not_changed", std::string(why)});
  const json::string* given = FindString(session, "instructions");
  const std::string_view base = given == nullptr ? settings_.LatestInstructions() : View(*given);
  const std::string instructions = WithVoiceWish(base, NameOfVoice(*wish));
  session["instructions"] = json::string(instructions);
  EraseVoice(session);
}

void Conversation::Core::SendSessionUpdate(json::object session, std::string_view client_event_id) {
  PendingUpdate update;
  update.sent = now_;
  update.event_id = UpstreamEventId(client_event_id);
  update.client_event_id = client_event_id;
  std::string json = SessionUpdateEvent(update.event_id, session);
  update.session = std::move(session);
  update.bytes = json.size();
  settings_.Sent(std::move(update));
  effects_->push_back(SendUpstream{std::move(json)});
}

void Conversation::Core::OnResponseCreate(const json::object& body, std::string_view) {
  const std::string_view client_event_id = StringOr(body, "event_id");
  if (auto error = CheckResponseCreate(body, config_.profile)) {
    return AnswerWithError(*std::move(error), client_event_id);
  }
  ResponseRequest request;
  request.event_id = UpstreamEventId(client_event_id);
  request.client_event_id = client_event_id;
  request.out_of_band = IsOutOfBand(body);
  json::object event = body;
  event["event_id"] = json::string(request.event_id);
  if (json::value* response = event.if_contains("response"); response && response->is_object()) {
    AddProfileTools(response->get_object(), config_.profile);
  }
  request.json = json::serialize(event);
  if (!gate_.Offer(std::move(request))) {
    AnswerWithError(Invalid("conversation_already_has_active_response", "",
                            "Too many responses wait for their turn already. Wait until the active "
                            "one is finished before creating a new one."),
                    client_event_id);
  }
}

// A response may wait for its turn, so its voice is judged when it is sent.
std::string Conversation::Core::WithLegalVoice(const ResponseRequest& request,
                                               bool other_response_in_progress) {
  auto event = ParseObject(request.json);
  json::object* response =
      event.ok() && event->contains("response") ? event->at("response").if_object() : nullptr;
  const json::value* wish = response == nullptr ? nullptr : VoiceOf(*response);
  if (wish == nullptr ||
      DecideVoiceNow(*wish, other_response_in_progress) == VoiceDecision::kSend) {
    return request.json;
  }
  EraseVoice(*response);
  return json::serialize(*event);
}

// What is not open any more needs no cancel, and OpenAI's refusal would help nobody.
void Conversation::Core::OnResponseCancel(const json::object& body, std::string_view) {
  answer_.Forget();
  if (const auto target = gate_.Cancel(StringOr(body, "response_id"))) {
    SendCancel(*target, StringOr(body, "event_id"));
  }
}

void Conversation::Core::OnItemCreate(const json::object& body, std::string_view json) {
  const json::object* item = FindObject(body, "item");
  const std::string_view type = item == nullptr ? "" : StringOr(*item, "type");
  if (type == "function_call") {
    transcript_.RememberCall(StringOr(*item, "call_id"));
    tools_.MadeByClient(StringOr(*item, "call_id"));
  } else if (type == "function_call_output" && !transcript_.KnowsCall(StringOr(*item, "call_id"))) {
    AnswerWithError(Invalid("invalid_tool_call_id", "item.call_id",
                            fmt::format("Tool call ID '{}' not found in conversation.",
                                        StringOr(*item, "call_id"))),
                    StringOr(body, "event_id"));
    return;
  }
  effects_->push_back(SendUpstream{std::string(json)});
}

void Conversation::Core::OnItemTruncate(const json::object& body, std::string_view) {
  const std::string_view client_event_id = StringOr(body, "event_id");
  const json::string* item_id = FindString(body, "item_id");
  const json::value* audio_end = body.if_contains("audio_end_ms");
  if (item_id == nullptr || audio_end == nullptr) {
    return AnswerWithError(Missing(item_id == nullptr ? "item_id" : "audio_end_ms"),
                           client_event_id);
  }
  const auto requested_ms = CountOf(*audio_end);
  if (!requested_ms) {
    return AnswerWithError(Invalid("invalid_value", "audio_end_ms",
                                   "Invalid 'audio_end_ms': expected an integer of at least 0."),
                           client_event_id);
  }
  const v1::ConversationItem* item = transcript_.Find(View(*item_id));
  if (item == nullptr) {
    return AnswerWithError(
        Invalid("item_truncate_invalid_item_id", "",
                fmt::format("Error truncating item: the item with id '{}' does not exist.",
                            View(*item_id))),
        client_event_id);
  }
  TruncateItem(*item, FindInteger(body, "content_index").value_or(0), *requested_ms,
               client_event_id);
}

void Conversation::Core::TruncateItem(const v1::ConversationItem& item, std::int64_t content_index,
                                      std::uint64_t requested_ms,
                                      std::string_view client_event_id) {
  const auto content = ParseObject(item.item_json());
  if (!content.ok() || !IsSpeech(*content)) {
    return AnswerWithError(Invalid("unsupported_content_type", "",
                                   "Only model output audio messages can be truncated"),
                           client_event_id);
  }
  const bool deleted_already =
      std::any_of(pending_deletes_.begin(), pending_deletes_.end(),
                  [&](const PendingDelete& pending) { return pending.item_id == item.id(); });
  if (deleted_already) {
    return;  // The first truncate's answer is on its way.
  }
  const std::string response_id = ResponseOf(item);
  if (!response_id.empty()) {
    DropAudio(response_id);
  }
  SentCommand command{UpstreamEventId(client_event_id), std::string(client_event_id), {}};
  const TruncatePlan plan = PlanTruncate(AudioOf(item), requested_ms);
  if (SummarySpeech::IsSecondId(item.id()) && !speech_.has_second()) {
    return AnswerTruncate(item.id(), content_index, plan);
  }
  switch (plan.action) {
    case TruncateAction::kPlayedToEnd:
      return SendToClient(
          "conversation.item.truncated",
          ItemTruncatedEvent("event_" + NextEventId(), item.id(), content_index, plan.audio_end_ms),
          response_id);
    case TruncateAction::kDelete:
      command.deleted_item_id = item.id();
      SendAbout(item.id(),
                ItemDeleteEvent(command.event_id, SummarySpeech::WithoutPrefix(item.id())));
      if (pending_deletes_.size() >= kPendingDeletesMax) {
        pending_deletes_.pop_front();
      }
      pending_deletes_.push_back({item.id(), response_id, content_index});
      break;
    case TruncateAction::kTruncate:
      SendAbout(item.id(),
                ItemTruncateEvent(command.event_id, SummarySpeech::WithoutPrefix(item.id()),
                                  content_index, plan.audio_end_ms));
      output_.Truncate(item.id(), SamplesOfMilliseconds(plan.audio_end_ms));
      break;
  }
  Remember(std::move(command));
}

// In place of an upstream that is gone: carried out on the snapshot, with the event that it would
// have sent.
void Conversation::Core::AnswerTruncate(const std::string& item_id, std::int64_t content_index,
                                        const TruncatePlan& plan) {
  const std::string json =
      ItemTruncatedEvent("event_" + NextEventId(), item_id, content_index, plan.audio_end_ms);
  OnItemTruncated(*ParseUpstreamEvent(json), json);
}

// An item that nothing but its arrival is known of belongs to the response that is being given.
std::string Conversation::Core::ResponseOf(const v1::ConversationItem& item) const {
  std::string response_id = output_.ResponseOf(item.id());
  if (response_id.empty() && !item.done()) {
    response_id = gate_.ActiveResponse().value_or("");
  }
  return response_id;
}

// The snapshot remembers longer than the ledger of what was sent.
ItemAudioState Conversation::Core::AudioOf(const v1::ConversationItem& item) const {
  const ItemAudioState stored{item.audio_samples(), item.audio_samples(), item.done()};
  return output_.StateOf(item.id()).value_or(stored);
}

void Conversation::Core::OnInputCommit(const json::object& body, std::string_view) {
  const std::string_view client_event_id = StringOr(body, "event_id");
  if (!settings_.WillDetectTurns() && input_.Buffered() < InputAudio::kCommitMin) {
    const double buffered_ms =
        static_cast<double>(input_.Buffered()) / static_cast<double>(kSamplesPerMillisecond);
    return AnswerWithError(
        Invalid("input_audio_buffer_commit_empty", "",
                fmt::format("Error committing input audio buffer: buffer too small. Expected at "
                            "least 100ms of audio, but buffer only has {:.2f}ms of audio.",
                            buffered_ms)),
        client_event_id);
  }
  const std::string event_id = UpstreamEventId(client_event_id);
  effects_->push_back(SendUpstream{InputAudioCommitEvent(event_id)});
  input_.CommitSent(event_id, std::string(client_event_id));
  answer_.TurnEnded(now_);
}

void Conversation::Core::OnInputClear(const json::object&, std::string_view json) {
  effects_->push_back(SendUpstream{std::string(json)});
  input_.Cleared();
}

}  // namespace voicebridge::worker

// The summary of a report, spoken: by a second upstream in a voice of its own, or by the
// conversation's.
#include <boost/json/string.hpp>
#include <string>
#include <utility>

#include "bridge_worker/conversation/conversation_core.h"
#include "bridge_worker/conversation/session_config.h"

namespace voicebridge::worker {
namespace {

using Stage = SummarySpeech::Stage;

// The second upstream's conversation begins with the summary, ours ends with it.
void PlaceLast(const v1::ConversationSnapshot& snapshot, json::object& body) {
  json::value* previous = body.if_contains("previous_item_id");
  if (previous == nullptr || !previous->is_null()) {
    return;
  }
  const auto& items = snapshot.items();
  for (int i = items.size() - 1; i >= 0; --i) {
    if (!SummarySpeech::IsSecondId(items.Get(i).id())) {
      *previous = json::string(items.Get(i).id());
      return;
    }
  }
}

}  // namespace

void Conversation::Core::AdvanceSummary() {
  switch (speech_.stage()) {
    case Stage::kWaiting:
      if (!gate_.IsBusy()) {
        BeginSummary();
      } else if (speech_.HasExpired(now_)) {
        effects_->push_back(ReportTrouble{"summary.skipped", "response_in_progress"});
        EndSummary();
      }
      return;
    case Stage::kConfiguring:
    case Stage::kConfigured:
    case Stage::kSpeaking:
      if (speech_.HasExpired(now_)) {
        SummaryFailed("timeout");
      } else if (speech_.stage() == Stage::kConfigured && !gate_.IsBusy()) {
        SpeakOnSecond();
      }
      return;
    case Stage::kNone:
    case Stage::kOnMain:
    case Stage::kOver:
      return;
  }
}

void Conversation::Core::BeginSummary() {
  const std::string& voice = config_.profile.assessment().summary_voice();
  if (speech_.text().empty()) {
    EndSummary();
  } else if (voice.empty() || voice == config_.profile.voice()) {
    SpeakOnMain();
  } else {
    speech_.OpenSecond(now_);
    effects_->push_back(OpenSummary{});
  }
}

void Conversation::Core::SpeakOnSecond() {
  speech_.Speak();
  effects_->push_back(SendSummary{
      ResponseCreateEvent(NextEventId(), {{"instructions", json::string(SummaryInstructions())}})});
}

std::string Conversation::Core::SummaryInstructions() const {
  return config_.profile.assessment().summary_instructions() +
         "\n\nRead the following text aloud, word for word, and say nothing else:\n\n" +
         speech_.text();
}

void Conversation::Core::SpeakOnMain() {
  speech_.FallBackToMain();
  ResponseRequest request;
  request.event_id = NextEventId();
  request.purpose = ResponsePurpose::kSummary;
  request.json = ResponseCreateEvent(
      request.event_id,
      {{"instructions", json::string(SummaryInstructions())}, {"tool_choice", "none"}});
  if (!gate_.Offer(std::move(request))) {
    EndSummary();
  }
}

void Conversation::Core::Receive(const SummaryMessage& message) {
  auto event = ParseUpstreamEvent(message.text);
  if (!speech_.has_second() || phase_ != Phase::kReady) {
    return;
  }
  if (!event.ok()) {
    ++protocol_errors_;
  } else {
    OnSummaryEvent(*std::move(event));
  }
}

void Conversation::Core::Receive(const SummaryClosed&) {
  if (speech_.has_second()) {
    SummaryFailed("closed");
  }
}

void Conversation::Core::OnSummaryEvent(UpstreamEvent event) {
  switch (event.type) {
    case UpstreamEventType::kSessionCreated:
      effects_->push_back(
          SendSummary{SessionUpdateEvent(NextEventId(), SummarySession(config_.profile))});
      return;
    case UpstreamEventType::kSessionUpdated:
      if (speech_.stage() == Stage::kConfiguring) {
        speech_.Configured();
      }
      return;
    case UpstreamEventType::kError:
      if (ErrorOf(event.body).code != "response_cancel_not_active") {
        SummaryFailed("refused");
      }
      return;
    default:
      break;
  }
  if (!event.name.starts_with("response.") && !event.name.starts_with("conversation.item.")) {
    return;
  }
  SummarySpeech::PrefixIds(event.body);
  PlaceLast(snapshot(), event.body);
  const auto prefixed = ParseUpstreamEvent(json::serialize(event.body));
  if (prefixed->type == UpstreamEventType::kResponseCreated) {
    speech_.ResponseCreated(prefixed->response_id);
  } else if (prefixed->type == UpstreamEventType::kAudioDelta) {
    speech_.HeardAudio();
  }
  OnUpstreamEvent(*prefixed, json::serialize(prefixed->body));
  if (prefixed->type != UpstreamEventType::kResponseDone) {
    return;
  }
  speech_.ResponseDone();
  const json::value* status = FindPath(prefixed->body, "response.status");
  if (status != nullptr && *status == "failed") {
    SummaryFailed("failed");
  } else {
    EndSummary();
  }
}

// Nothing was heard: the conversation's own voice reads it. Else the speech just ends.
void Conversation::Core::SummaryFailed(std::string_view why) {
  effects_->push_back(ReportTrouble{"summary.failed", std::string(why)});
  CloseSummaryResponse();
  effects_->push_back(CloseSummary{});
  if (speech_.heard_audio()) {
    speech_.End();
    flow_.SummaryOver();
  } else {
    SpeakOnMain();
  }
}

// The client has seen it begin, so it sees it end.
void Conversation::Core::CloseSummaryResponse() {
  if (speech_.open_response().empty()) {
    return;
  }
  json::object response{{"id", json::string(speech_.open_response())},
                        {"object", "realtime.response"},
                        {"status", "failed"},
                        {"output", json::array()}};
  const json::object body{{"type", "response.done"},
                          {"event_id", json::string("event_" + NextEventId())},
                          {"response", std::move(response)}};
  const auto event = ParseUpstreamEvent(json::serialize(body));
  speech_.ResponseDone();
  OnResponseDone(*event, json::serialize(body));
}

void Conversation::Core::EndSummary() {
  if (speech_.has_second()) {
    effects_->push_back(CloseSummary{});
  }
  speech_.End();
  flow_.SummaryOver();
}

}  // namespace voicebridge::worker

// From the last turn of an interview to the end of its spoken summary.
#include <boost/json/parse.hpp>
#include <boost/json/string.hpp>
#include <utility>
#include <vector>

#include "bridge_worker/conversation/conversation_core.h"
#include "bridge_worker/conversation/session_config.h"
#include "bridge_worker/interview/assessment.h"

namespace voicebridge::worker {
namespace {

using Phase = v1::InterviewState;
using Stage = SummarySpeech::Stage;

constexpr std::string_view kAppend = "input_audio_buffer.append";

std::string_view WhyClosed(Phase::Phase phase) {
  switch (phase) {
    case Phase::ASSESSING:
      return "The interview is over: the assessment is being written.";
    case Phase::FAILED:
      return "The interview is over. The assessment failed and can be tried again.";
    case Phase::SUMMARISING:
      return "The interview is over: the summary is being spoken.";
    default:
      return "The interview is over.";
  }
}

std::string_view FailureMessage(std::string_view reason) {
  if (reason == "queue_timeout") {
    return "Too many assessments are waiting. Please try again in a few minutes.";
  }
  if (reason == "store_unavailable") {
    return "The assessment could not be stored. Please try again in a moment.";
  }
  return "The assessment could not be written. Nothing of the interview is lost: please try again.";
}

std::string TextOf(const v1::ConversationItem& item, const json::object& body) {
  if (!item.transcript().empty()) {
    return item.transcript();
  }
  std::string text;
  const json::array* parts = FindArray(body, "content");
  for (const json::value& part : parts == nullptr ? json::array() : *parts) {
    if (const json::object* object = part.if_object()) {
      text += StringOr(*object, "text");
    }
  }
  return text;
}

std::vector<Utterance> TranscriptOf(const v1::ConversationSnapshot& snapshot) {
  std::vector<Utterance> transcript;
  for (const v1::ConversationItem& item : snapshot.items()) {
    const auto body = ParseObject(item.item_json());
    const std::string_view role = body.ok() ? StringOr(*body, "role") : "";
    if (role == "user" || role == "assistant") {
      transcript.push_back(
          {role == "user" ? Utterance::Speaker::kUser : Utterance::Speaker::kAssistant,
           TextOf(item, *body)});
    }
  }
  return transcript;
}

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

// What time and the end of other things make possible; called after every event.
void Conversation::Core::AdvanceInterview() {
  if (!flow_.enabled() || phase_ != Phase::kReady) {
    return;
  }
  const bool turn_under_way = gate_.IsBusy() || awaits_reply_ || input_.Buffered() > 0;
  if (auto reason = flow_.TakeLimit(now_, turn_under_way)) {
    Trigger(*std::move(reason));
  }
  if (flow_.TakeSubmission(AreTranscriptsPending(), now_)) {
    SubmitAssessment();
  }
  if (flow_.TakeKeepalive(now_)) {
    SendInterviewEvent("voicebridge.keepalive", {});
  }
  AdvanceSummary();
}

void Conversation::Core::Trigger(std::string reason) {
  if (!flow_.Trigger(reason, now_)) {
    return;
  }
  SendInterviewEvent("voicebridge.assessment.started", {{"reason", json::string(reason)}});
  RefuseHeld();
}

// Asked for in time, but not sent in time.
void Conversation::Core::RefuseHeld() {
  for (const ResponseRequest& held : gate_.TakeHeld()) {
    if (held.purpose == ResponsePurpose::kClient) {
      AnswerWithError(InputRefusal(), held.client_event_id);
    }
  }
}

bool Conversation::Core::AreTranscriptsPending() const {
  for (const v1::ConversationItem& item : snapshot().items()) {
    if (item.transcript_state() == v1::TRANSCRIPT_STATE_PENDING) {
      return true;
    }
  }
  return false;
}

void Conversation::Core::SubmitAssessment() {
  effects_->push_back(
      StartAssessment{flow_.state().assessment_id(),
                      EncodeAssessmentInput(flow_.state().reason(), TranscriptOf(snapshot()))});
}

void Conversation::Core::Receive(const AssessmentUpdated& updated) {
  if (phase_ == Phase::kReady) {
    std::visit([this](const auto& update) { On(update); }, updated.update);
  }
}

void Conversation::Core::On(const AssessmentQueued& queued) {
  flow_.Retry(now_);  // If it was tried again elsewhere.
  SendInterviewEvent("voicebridge.assessment.progress",
                     {{"stage", "queued"}, {"position", queued.position}});
}

void Conversation::Core::On(const AssessmentRunning& running) {
  flow_.Retry(now_);
  SendInterviewEvent("voicebridge.assessment.progress",
                     {{"stage", "writing"}, {"attempt", running.attempt}});
}

// The report goes out first, and whatever becomes of the voice does not touch it.
void Conversation::Core::On(const AssessmentCompleted& completed) {
  boost::system::error_code error;
  json::value report = json::parse(completed.report_json, error);
  if (error || !flow_.Complete()) {
    return;  // It was announced before.
  }
  std::string summary = SpokenSummary(completed.report_json);
  SendInterviewEvent("voicebridge.assessment.completed",
                     {{"report", std::move(report)}, {"summary", json::string(summary)}});
  speech_.Begin(std::move(summary), now_);
}

void Conversation::Core::On(const AssessmentFailed& failed) {
  if (flow_.Fail()) {
    SendInterviewEvent("voicebridge.assessment.failed",
                       {{"reason", json::string(failed.reason)},
                        {"message", json::string(FailureMessage(failed.reason))},
                        {"retryable", true}});
  }
}

void Conversation::Core::SendInterviewEvent(std::string_view type, json::object members) {
  json::object event{{"type", json::string(type)},
                     {"event_id", json::string("event_" + NextEventId())}};
  if (!flow_.state().assessment_id().empty()) {
    event["assessment_id"] = json::string(flow_.state().assessment_id());
  }
  for (auto& member : members) {
    event[member.key()] = std::move(member.value());
  }
  SendToClient(type, json::serialize(event));
}

// --- the input gate
// -------------------------------------------------------------------------------

bool Conversation::Core::RefusesInput(std::string_view type) const {
  const bool adds = type == kAppend || type == "input_audio_buffer.commit" ||
                    type == "response.create" || type == "conversation.item.create";
  return adds && !flow_.accepts_input();
}

ProtocolError Conversation::Core::InputRefusal() const {
  ProtocolError error;
  error.code = "input_not_accepted";
  error.message = WhyClosed(flow_.phase());
  return error;
}

void Conversation::Core::OnAssessmentRequest(const json::object& body, std::string_view) {
  if (!flow_.enabled()) {
    ProtocolError error;
    error.code = "no_assessment";
    error.message = "This conversation is not assessed: its profile has no assessment.";
    return AnswerWithError(std::move(error), StringOr(body, "event_id"));
  }
  if (!flow_.accepts_input()) {
    return AnswerWithError(InputRefusal(), StringOr(body, "event_id"));
  }
  Trigger("The user ended the interview.");
}

void Conversation::Core::OnAssessmentRetry(const json::object& body, std::string_view) {
  if (flow_.Retry(now_)) {
    effects_->push_back(RetryAssessment{});
    return;
  }
  ProtocolError error;
  error.code = "assessment_not_failed";
  error.message = "There is no failed assessment to try again.";
  AnswerWithError(std::move(error), StringOr(body, "event_id"));
}

// --- the spoken summary
// ---------------------------------------------------------------------------

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

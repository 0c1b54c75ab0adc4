// From the last turn of an interview to its report.
#include <boost/json/parse.hpp>
#include <boost/json/string.hpp>
#include <utility>
#include <vector>

#include "bridge_worker/conversation/conversation_core.h"
#include "bridge_worker/interview/assessment.h"

namespace voicebridge::worker {
namespace {

using Phase = v1::InterviewState;

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
  if (const auto words_awaited = flow_.TakeSubmission(AreTranscriptsPending(), now_)) {
    effects_->push_back(Submission(*words_awaited));
  }
  if (flow_.TakeStoringNotice(now_)) {
    SendInterviewEvent("voicebridge.assessment.progress", {{"stage", "storing"}});
  }
  if (flow_.TakeKeepalive(now_)) {
    SendInterviewEvent("voicebridge.keepalive", {});
  }
  AdvanceSummary();
}

// The client is told once it is stored: what was announced is never lost.
void Conversation::Core::Trigger(std::string reason) {
  if (flow_.Trigger(std::move(reason), now_)) {
    answer_.Forget();  // What is said next is the summary, some time from now.
    RefuseHeld();
  }
}

void Conversation::Core::Announce() {
  if (flow_.TakeAnnouncement(now_)) {
    SendInterviewEvent("voicebridge.assessment.started",
                       {{"reason", json::string(flow_.state().reason())}});
  }
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

StartAssessment Conversation::Core::Submission(Duration words_awaited) const {
  return {flow_.state().assessment_id(),
          EncodeAssessmentInput(flow_.state().reason(), TranscriptOf(snapshot())), words_awaited};
}

std::optional<StartAssessment> Conversation::Core::TakeUnsubmitted(TimePoint now) {
  const bool transcripts_pending = false;  // Nobody waits for them any more.
  const auto submission = flow_.TakeSubmission(transcripts_pending, now);
  return submission ? std::optional(Submission(*submission)) : std::nullopt;
}

void Conversation::Core::Receive(const AssessmentUpdated& updated) {
  if (phase_ == Phase::kReady) {
    std::visit([this](const auto& update) { On(update); }, updated.update);
  }
}

void Conversation::Core::On(const AssessmentStored&) { Announce(); }

void Conversation::Core::On(const AssessmentQueued& queued) {
  Announce();
  flow_.Retry(now_);  // If it was tried again elsewhere.
  SendInterviewEvent("voicebridge.assessment.progress",
                     {{"stage", "queued"}, {"position", queued.position}});
}

void Conversation::Core::On(const AssessmentRunning& running) {
  Announce();
  flow_.Retry(now_);
  SendInterviewEvent("voicebridge.assessment.progress",
                     {{"stage", "writing"}, {"attempt", running.attempt}});
}

// The report goes out first, and whatever becomes of the voice does not touch it.
void Conversation::Core::On(const AssessmentCompleted& completed) {
  Announce();
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
  const bool is_stored = flow_.state().announced();
  if (flow_.Retry(now_)) {
    if (is_stored) {
      effects_->push_back(RetryAssessment{});
    }
    return;
  }
  ProtocolError error;
  error.code = "assessment_not_failed";
  error.message = "There is no failed assessment to try again.";
  AnswerWithError(std::move(error), StringOr(body, "event_id"));
}

}  // namespace voicebridge::worker

#include <fmt/format.h>

#include <array>
#include <string_view>

#include "common/core/limits.h"
#include "common/core/snapshot.h"
#include "tests/unit/conversation/interview_world_watch.h"

namespace voicebridge::worker {
namespace {

constexpr Duration kKeepaliveMin = milliseconds(2'800);
constexpr Duration kKeepaliveMax = milliseconds(3'300);

bool IsId(std::string_view key) {
  return key == "id" || key == "item_id" || key == "previous_item_id" || key == "response_id" ||
         key == "call_id";
}

}  // namespace

// --- what the client is shown
// ---------------------------------------------------------------------

void ClientWatch::See(const SeenEffect& seen) {
  if (const auto* sent = std::get_if<SendClientEvent>(&seen.effect)) {
    CheckEvent(*sent, seen.body);
    CheckSeq(sent->event.seq());
  } else if (const auto* audio = std::get_if<SendClientAudio>(&seen.effect)) {
    CheckAudio(audio->audio);
    CheckSeq(audio->audio.seq());
  } else if (const auto* drop = std::get_if<DropQueuedAudio>(&seen.effect)) {
    dropped_.insert(drop->response_id);
  }
}

void ClientWatch::CheckSeq(std::uint64_t seq) {
  if (seq != ++seq_) {
    facts_.Problem("seq", "a gap");
  }
}

void ClientWatch::CheckEvent(const SendClientEvent& sent, const json::object& body) {
  if (sent.event.type() == "error") {
    return CheckError(body);
  }
  Learn(body, sent.event.type());
  const std::string& dropped = sent.event.drops_audio_of_response_id();
  if (!dropped.empty()) {
    CheckId("response_id", dropped, sent.event.type());
  }
  if (!sent.event.type().starts_with("voicebridge.") && !sent.event.type().starts_with("session")) {
    CheckIds(body, sent.event.type());
  }
}

void ClientWatch::CheckError(const json::object& body) {
  const ProtocolError error = ErrorOf(body);
  if (error.event_id.starts_with("vb_")) {
    facts_.Problem("own id", "shown: " + json::serialize(body));
  }
  if (error.code == "cannot_update_voice" || error.code == "response_cancel_not_active") {
    facts_.Problem("benign error", "shown: " + json::serialize(body));
  }
}

void ClientWatch::CheckAudio(const v1::ServerAudio& audio) {
  CheckId("item_id", audio.item_id(), "audio");
  CheckId("response_id", audio.response_id(), "audio");
  std::uint64_t& position = positions_[audio.item_id()];
  if (audio.first_sample() != position || audio.pcm().size() % 2 != 0) {
    facts_.Problem("audio", "a gap in item " + audio.item_id());
  }
  position += audio.pcm().size() / 2;
  if (dropped_.count(audio.response_id()) > 0) {
    facts_.Problem("audio", "of a response after it was dropped");
  }
}

void ClientWatch::CheckIds(const json::object& body, std::string_view type) {
  for (const auto& member : body) {
    const json::value& value = member.value();
    const std::string_view key(member.key().data(), member.key().size());
    if (const json::object* object = value.if_object()) {
      CheckIds(*object, type);
    } else if (const json::array* array = value.if_array()) {
      for (const json::value& element : *array) {
        if (const json::object* inner = element.if_object()) {
          CheckIds(*inner, type);
        }
      }
    } else if (value.is_string() && IsId(key)) {
      CheckId(key, View(value.get_string()), type);
    }
  }
}

void ClientWatch::CheckId(std::string_view key, std::string_view id, std::string_view type) {
  bool hidden = id.starts_with("vbo_") || id.starts_with("vbc_");
  for (const WorldUpstream::Call& call : main_.calls) {
    hidden = hidden || (call.name != "client_tool" && (call.item_id == id || call.call_id == id));
  }
  if (hidden) {
    facts_.Problem("hidden", fmt::format("{} in {}: {}", id, type, key));
  } else if (key != "call_id" && told_.count(std::string(id)) == 0) {
    facts_.Problem("untold", fmt::format("{} in {}: {}", id, type, key));
  }
}

void ClientWatch::Learn(const json::object& body, std::string_view type) {
  static constexpr std::array<std::string_view, 6> kIntroducing = {
      "response.created",
      "response.output_item.added",
      "conversation.item.added",
      "input_audio_buffer.committed",
      "input_audio_buffer.speech_started",
      "input_audio_buffer.timeout_triggered"};
  for (const std::string_view introducing : kIntroducing) {
    if (type == introducing) {
      for (const std::string_view path : {"response.id", "item.id", "item_id"}) {
        if (const json::value* id = FindPath(body, path)) {
          told_.insert(std::string(View(id->as_string())));
        }
      }
    }
  }
}

// --- the assessment
// -------------------------------------------------------------------------------

AssessmentWatch::AssessmentWatch(WorldFacts& facts) : facts_(facts) {
  copy_.set_session_id("s");
  copy_.set_profile("test");
}

void AssessmentWatch::Before(const SeenEvent& seen) {
  awaited_ = {};
  const auto* updated = std::get_if<AssessmentUpdated>(&seen.event);
  if (updated == nullptr) {
    return;
  }
  const bool has_failed = std::holds_alternative<AssessmentFailed>(updated->update);
  stored_ = stored_ || !has_failed;
  awaits_words_ = awaits_words_ && stored_;
  const bool failed = facts_.phase == WorldPhase::kFailed;
  if (failed || facts_.phase == WorldPhase::kAssessing) {
    if (std::holds_alternative<AssessmentCompleted>(updated->update)) {
      awaited_ = "voicebridge.assessment.completed";
    } else if (has_failed) {
      awaited_ = failed ? "" : "voicebridge.assessment.failed";
    } else if (std::holds_alternative<AssessmentStored>(updated->update)) {
      awaited_ = announced_ ? "" : "voicebridge.assessment.started";
    } else {
      awaited_ = "voicebridge.assessment.progress";
    }
  }
}

void AssessmentWatch::See(const SeenEffect& seen) {
  CheckSummaryComesAfterReport(seen);
  if (std::holds_alternative<SendClientEvent>(seen.effect)) {
    SeeEvent(seen.type);
  } else if (const auto* delta = std::get_if<PublishSnapshotDelta>(&seen.effect)) {
    SeeDelta(delta->delta);
  } else if (const auto* start = std::get_if<StartAssessment>(&seen.effect)) {
    SeeStart(*start);
  } else if (std::holds_alternative<RetryAssessment>(seen.effect)) {
    if (facts_.phase != WorldPhase::kFailed || !stored_) {
      facts_.Problem("assessment", "tried again without a failure, or though it is not stored");
    }
  }
  Enter(seen);
}

void AssessmentWatch::SeeStart(const StartAssessment& start) {
  const bool is_complete = start.words_awaited == Duration::zero();
  const bool begins =
      facts_.phase == WorldPhase::kListening || (facts_.phase == WorldPhase::kFailed && !stored_);
  const bool completes = facts_.phase == WorldPhase::kAssessing && awaits_words_ && is_complete;
  if (!begins && !completes) {
    facts_.Problem("assessment", "started twice, or before it was triggered");
  }
  awaits_words_ = !is_complete;
  submitted_ = submitted_ || is_complete;
}

void AssessmentWatch::SeeEvent(std::string_view type) {
  if (type == awaited_) {
    awaited_ = {};
  }
  if (type == "voicebridge.keepalive") {
    return Keepalive();
  }
  if (type == "voicebridge.assessment.started") {
    if (!stored_ || announced_) {
      facts_.Problem("announced", "twice, or before it was stored");
    }
    announced_ = true;
    sign_of_life_ = facts_.now;
  }
  if (type == "voicebridge.assessment.completed" && ++completed_ > 1) {
    facts_.Problem("assessment", "completed twice");
  }
  if (type == "voicebridge.assessment.progress" && completed_ > 0) {
    facts_.Problem("assessment", "progress after the report");
  }
}

void AssessmentWatch::Keepalive() {
  if (facts_.phase != WorldPhase::kAssessing) {
    facts_.Problem("keepalive", "though nothing is under way");
  }
  if (facts_.now - sign_of_life_ < kKeepaliveMin) {
    facts_.Problem("keepalive", "too early");
  }
  sign_of_life_ = facts_.now;
}

void AssessmentWatch::CheckSummaryComesAfterReport(const SeenEffect& seen) {
  const bool speaks = std::holds_alternative<OpenSummary>(seen.effect) ||
                      std::holds_alternative<SendSummary>(seen.effect) ||
                      (std::holds_alternative<SendUpstream>(seen.effect) &&
                       seen.type == "response.create" && IsSummaryRequest(seen.body));
  if (speaks && completed_ == 0) {
    facts_.Problem("report first", "the summary began before the report went out");
  }
}

void AssessmentWatch::SeeDelta(const v1::SnapshotDelta& delta) {
  if (!ApplyDelta(delta, copy_)) {
    facts_.Problem("snapshot", "a delta of another version");
  }
  CondenseTo(limits::kSnapshotMax, copy_);
  copy_changed_ = true;
}

void AssessmentWatch::EnterByEvent(std::string_view type) {
  if (type == "voicebridge.assessment.failed") {
    facts_.phase = WorldPhase::kFailed;
  } else if (type == "voicebridge.assessment.completed") {
    facts_.phase = WorldPhase::kWaiting;
  } else if (type == "voicebridge.assessment.progress" && facts_.phase == WorldPhase::kFailed) {
    facts_.phase = WorldPhase::kAssessing;  // It was tried again elsewhere.
    sign_of_life_ = facts_.now;
  }
}

void AssessmentWatch::Enter(const SeenEffect& seen) {
  if (std::holds_alternative<SendClientEvent>(seen.effect)) {
    EnterByEvent(seen.type);
  } else if (std::holds_alternative<SendUpstream>(seen.effect)) {
    if (facts_.phase == WorldPhase::kConnecting) {
      facts_.phase = WorldPhase::kConfiguring;
    } else if (facts_.phase == WorldPhase::kWaiting && IsSummaryRequest(seen.body)) {
      facts_.phase = WorldPhase::kMain;
    }
  } else if (std::holds_alternative<BecomeReady>(seen.effect)) {
    facts_.phase = WorldPhase::kListening;
  } else if (std::holds_alternative<RetryAssessment>(seen.effect) ||
             std::holds_alternative<StartAssessment>(seen.effect)) {
    if (facts_.phase != WorldPhase::kAssessing) {
      facts_.phase = WorldPhase::kAssessing;
      sign_of_life_ = facts_.now;
    }
  } else if (std::holds_alternative<OpenSummary>(seen.effect)) {
    facts_.phase = WorldPhase::kSecond;
    if (++opened_ > 1) {
      facts_.Problem("left open", "a second upstream opened twice");
    }
  } else if (std::holds_alternative<CloseSummary>(seen.effect)) {
    if (facts_.phase != WorldPhase::kSecond) {
      facts_.Problem("left open", "a second upstream closed that was not open");
    }
    facts_.phase = WorldPhase::kMain;
  } else if (std::holds_alternative<EndSession>(seen.effect)) {
    facts_.phase = WorldPhase::kClosed;
  } else if (const auto* delta = std::get_if<PublishSnapshotDelta>(&seen.effect)) {
    if (delta->delta.interview().phase() == v1::InterviewState::ENDED) {
      facts_.phase = WorldPhase::kEnded;
    }
  }
}

void AssessmentWatch::After(const v1::ConversationSnapshot& snapshot) {
  if (!awaited_.empty()) {
    facts_.Problem("assessment", fmt::format("no {}", awaited_));
  }
  if (facts_.phase == WorldPhase::kAssessing && facts_.now - sign_of_life_ > kKeepaliveMax) {
    facts_.Problem("keepalive", "too late");
  }
  if (copy_.version() != snapshot.version() ||
      (copy_changed_ && copy_.SerializeAsString() != snapshot.SerializeAsString())) {
    facts_.Problem("snapshot", "is not what its deltas say");
  }
  copy_changed_ = false;
}

void AssessmentWatch::AtTheEnd() {
  if (facts_.phase == WorldPhase::kAssessing || facts_.IsSummarising()) {
    facts_.Problem("left open", "the interview");
  }
  if (facts_.phase == WorldPhase::kEnded && !submitted_) {
    facts_.Problem("assessment", "triggered and never started");
  }
}

void AssessmentWatch::GivenAway(bool something) {
  if (something != awaits_words_) {
    facts_.Problem("assessment", "its last words are lost, or given away twice");
  }
}

}  // namespace voicebridge::worker

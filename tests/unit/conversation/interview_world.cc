#include "tests/unit/conversation/interview_world.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tests/unit/conversation/interview_script.h"

namespace voicebridge::worker {
namespace {

v1::Profile WorldProfile(unsigned seed) {
  v1::Profile profile = InterviewProfile(seed % 2 == 0 ? "cedar" : "");
  AddTool(profile, "guidance", v1::INTERVIEW_GUIDANCE);
  profile.mutable_assessment()->set_guidance("Be kind.");
  profile.mutable_assessment()->set_turns_max(4);
  if (seed % 3 == 0) {
    profile.mutable_turn_detection()->set_type(v1::TurnDetection::SERVER_VAD);
  }
  return profile;
}

ConversationConfig WorldConfig(unsigned seed) {
  ConversationConfig config;
  config.session_id = "s";
  config.profile = WorldProfile(seed);
  return config;
}

json::object BodyOf(std::string_view text) {
  auto body = ParseObject(text);
  return body.ok() ? *std::move(body) : json::object();
}

SeenEffect Look(const Effect& effect) {
  SeenEffect seen{effect, {}, {}};
  if (const auto* up = std::get_if<SendUpstream>(&effect)) {
    seen.body = BodyOf(up->json);
  } else if (const auto* second = std::get_if<SendSummary>(&effect)) {
    seen.body = BodyOf(second->json);
  } else if (const auto* client = std::get_if<SendClientEvent>(&effect)) {
    seen.body = BodyOf(client->event.json());
  }
  seen.type = StringOr(seen.body, "type");
  return seen;
}

}  // namespace

InterviewWorld::InterviewWorld(unsigned seed, WorldCoverage& coverage, Defect defect)
    : random_(seed),
      lazy_(seed % 5 < 2),
      coverage_(coverage),
      defect_(defect, facts_),
      main_(random_, false),
      second_(random_, true),
      conversation_(WorldConfig(seed), facts_.now),
      responses_(facts_, main_, second_),
      calls_(facts_, main_),
      client_(facts_, main_),
      assessment_(facts_) {
  if (Roll(30) == 0) {
    Roll(4) == 0 ? main_.Complain() : main_.Chat();
  }
  main_.Connect();
}

const std::string& InterviewWorld::Run() {
  const int steps = 60 + Roll(140);
  int after_end = 0;
  for (int i = 0; i < steps && after_end < 30 && facts_.problem.empty(); ++i) {
    Step();
    if (conversation_.ended()) {
      ++after_end;
      DeliverNext();  // What was on its way.
      if (second_is_open_ && Roll(8) == 0) {
        second_.Complain();  // Rare before the end, and the end is rare while it is open.
      }
      DeliverSecond();
    }
  }
  Settle();
  CheckTheEnd();
  return facts_.problem;
}

void InterviewWorld::Step() {
  const int what = Roll(100);
  if (what < 25) {
    ActAsClient();
  } else if (what < 72) {
    StepUpstream();
  } else if (what < 84) {
    StepSecond();
  } else if (what < 88) {
    FinishTool(Roll(4) == 0);
  } else if (what < 95) {
    StepAssessment();
  } else {
    StepTime();
  }
}

void InterviewWorld::StepUpstream() {
  const int what = Roll(lazy_ ? 60 : 40);
  if (what < 10) {
    if (!main_.inbox.empty()) {
      main_.TakeCommand();
    }
  } else if (what < 18) {
    main_.Speak();
  } else if (what < 20) {
    Roll(3) != 0 ? main_.Hear() : main_.Transcribe();
  } else if (what == 20) {
    main_.Chat();
  } else if (what == 21 && Roll(4) == 0) {
    main_.Complain();
  } else if (what == 22 && Roll(12) == 0) {
    Handle(UpstreamClosed{1006, "secret"});
  } else if (what < 40) {
    DeliverNext();
  }
}

void InterviewWorld::DeliverNext() {
  if (!main_.outbox.empty()) {
    const std::string text = std::move(main_.outbox.front());
    main_.outbox.pop_front();
    Handle(UpstreamMessage{text});
  }
}

// --- the second upstream
// --------------------------------------------------------------------------

void InterviewWorld::StepSecond() {
  const int what = Roll(30);
  if (what < 8) {
    if (!second_.inbox.empty() && !second_is_mute_) {
      second_.TakeCommand();
    }
  } else if (what < 14) {
    second_.Speak();
  } else if (what == 14 && second_is_open_) {
    second_.Chat();
  } else if (what == 15 && second_is_open_ && Roll(4) == 0) {
    second_.Complain();
  } else if (what == 16) {
    CloseSecond();
  } else if (what == 17 && second_is_open_ && Roll(8) == 0) {
    Handle(UpstreamClosed{1006, "secret"});
  } else {
    DeliverSecond();
  }
}

void InterviewWorld::DeliverSecond() {
  if (!second_.outbox.empty()) {
    const std::string text = std::move(second_.outbox.front());
    second_.outbox.pop_front();
    Handle(SummaryMessage{text});
  }
}

void InterviewWorld::CloseSecond() {
  if (std::exchange(second_is_open_, false)) {
    second_.outbox.clear();
    second_.inbox.clear();
    Handle(SummaryClosed{});
  }
}

// --- tools and the assessment
// ---------------------------------------------------------------------

void InterviewWorld::FinishTool(bool again) {
  std::vector<std::string>& from = again ? finished_tools_ : running_tools_;
  if (from.empty()) {
    return;
  }
  const auto which = from.begin() + Roll(static_cast<int>(from.size()));
  const std::string call_id = *which;
  from.erase(which);
  if (!again) {
    finished_tools_.push_back(call_id);
  }
  Handle(ToolFinished{call_id, R"({"found":1})"});
}

// As the service does it: what fails at first is given up, also what comes to it meanwhile.
void InterviewWorld::StoreAssessment(const StartAssessment& start) {
  if (store_fails_) {
    return;
  }
  if (!assessment_is_stored_ && Roll(6) == 0) {
    store_fails_ = true;
    updates_.emplace_back(AssessmentFailed{"store_unavailable"});
    return;
  }
  assessment_is_stored_ = true;
  updates_.emplace_back(AssessmentStored{});
  if (start.words_awaited == Duration::zero()) {
    PlanAssessment();
  }
}

void InterviewWorld::PlanAssessment() {
  for (int i = Roll(3); i > 0; --i) {
    updates_.emplace_back(AssessmentQueued{static_cast<std::size_t>(i)});
  }
  const auto attempts = static_cast<unsigned>(Roll(3));
  for (unsigned i = 1; i <= attempts; ++i) {
    updates_.emplace_back(AssessmentRunning{i});
  }
  if (Roll(3) == 0) {
    updates_.emplace_back(AssessmentFailed{"model_output"});
    return;
  }
  for (int i = 1 + Roll(3); i > 0; --i) {
    updates_.emplace_back(AssessmentCompleted{std::string(kReport)});
  }
}

void InterviewWorld::StepAssessment() {
  if (updates_.empty() && facts_.phase == WorldPhase::kFailed && assessment_is_stored_ &&
      Roll(6) == 0) {
    PlanAssessment();  // Somebody had it tried again, not over this session.
  }
  if (!updates_.empty()) {
    AssessmentUpdate update = std::move(updates_.front());
    updates_.pop_front();
    store_fails_ = false;
    Handle(AssessmentUpdated{std::move(update)});
  }
}

// --- time
// -----------------------------------------------------------------------------------------

void InterviewWorld::StepTime() {
  if (Roll(3) != 0) {
    return AdvanceTo(facts_.now + milliseconds(Roll(300)));
  }
  // A connection may stall, but for less than what an answer is waited for.
  const TimePoint target = facts_.now + (Roll(12) == 0 ? seconds(70) : milliseconds(Roll(7'000)));
  while (facts_.now < target && facts_.problem.empty()) {
    while (!main_.inbox.empty()) {
      main_.TakeCommand();
    }
    while (!main_.outbox.empty()) {
      DeliverNext();
    }
    AdvanceTo(std::min<TimePoint>(target, facts_.now + seconds(1)));
  }
}

// As the driver does it: woken at each deadline.
void InterviewWorld::AdvanceTo(TimePoint target) {
  while (facts_.problem.empty()) {
    const std::optional<TimePoint> next = defect_.Deadline(conversation_.NextDeadline());
    if (!next || *next > target) {
      facts_.now = target;
      return Handle(TimePassed{});
    }
    facts_.now = std::max(facts_.now, *next);
    Handle(TimePassed{});
    const std::optional<TimePoint> after = defect_.Deadline(conversation_.NextDeadline());
    if (after && *after <= facts_.now) {
      facts_.Problem("busy loop", "a deadline that is over stays the next one");
    }
  }
}

// --- in and out
// -----------------------------------------------------------------------------------

void InterviewWorld::Handle(ConversationEvent event) {
  SeenEvent seen{event, std::nullopt, std::holds_alternative<SummaryMessage>(event)};
  const std::string_view text = seen.second ? std::get<SummaryMessage>(event).text
                                : std::holds_alternative<UpstreamMessage>(event)
                                    ? std::get<UpstreamMessage>(event).text
                                    : std::string_view();
  if (auto message = ParseUpstreamEvent(text); message.ok()) {
    seen.message = *std::move(message);
  }
  coverage_.Note(facts_.phase, seen);
  if (!conversation_.ended()) {
    responses_.Before(seen);
    calls_.Before(seen);
    assessment_.Before(seen);
  }
  const bool ended = conversation_.ended();
  effects_.clear();
  if (!defect_.Swallows(event)) {
    ConversationEvent copy = event;
    conversation_.Handle(std::move(copy), facts_.now, effects_);
  }
  defect_.Alter(seen, effects_);
  if (ended && !effects_.empty()) {
    facts_.Problem("closed", "an effect after the end");
  }
  for (const Effect& effect : effects_) {
    Perform(effect);
  }
  if (!conversation_.ended()) {
    assessment_.After(conversation_.snapshot());
  }
}

void InterviewWorld::Perform(const Effect& effect) {
  const SeenEffect seen = Look(effect);
  responses_.See(seen);
  calls_.See(seen);
  assessment_.See(seen);
  client_.See(seen);
  if (const auto* up = std::get_if<SendUpstream>(&effect)) {
    main_.inbox.push_back(up->json);
  } else if (const auto* audio = std::get_if<SendUpstreamAudio>(&effect)) {
    main_.TakeAudio(audio->pcm.size());
  } else if (const auto* tool = std::get_if<StartTool>(&effect)) {
    running_tools_.push_back(tool->call_id);
  } else if (const auto* start = std::get_if<StartAssessment>(&effect)) {
    StoreAssessment(*start);
  } else if (std::holds_alternative<RetryAssessment>(effect)) {
    if (updates_.empty()) {
      PlanAssessment();
    }
  } else if (std::holds_alternative<OpenSummary>(effect)) {
    second_is_open_ = true;
    second_is_mute_ = Roll(6) == 0;
    if (!second_is_mute_) {
      second_.Connect();
    }
  } else if (const auto* second = std::get_if<SendSummary>(&effect); second && second_is_open_) {
    second_.inbox.push_back(second->json);
  }
}

// --- the end
// --------------------------------------------------------------------------------------

// Everything arrives, every response ends, every timer fires.
void InterviewWorld::Settle() {
  int quiet = 0;
  for (int round = 0; round < 4'000 && quiet < 8 && facts_.problem.empty(); ++round) {
    if (conversation_.ended()) {
      return;
    }
    if (SettleOne()) {
      quiet = 0;
    } else {
      ++quiet;
      AdvanceTo(facts_.now + seconds(11));
    }
  }
}

bool InterviewWorld::SettleOne() {
  if (!main_.outbox.empty()) {
    DeliverNext();
  } else if (!second_.outbox.empty()) {
    DeliverSecond();
  } else if (!main_.inbox.empty()) {
    main_.TakeCommand();
  } else if (!second_.inbox.empty() && !second_is_mute_) {
    second_.TakeCommand();
  } else if (main_.IsSpeaking()) {
    main_.Speak();
  } else if (second_.IsSpeaking() && second_is_open_) {
    second_.Speak();
  } else if (main_.IsTranscribing()) {
    main_.Transcribe();
  } else if (!running_tools_.empty()) {
    FinishTool(false);
  } else if (!updates_.empty()) {
    StepAssessment();
  } else {
    return false;
  }
  return true;
}

void InterviewWorld::CheckTheEnd() {
  if (!facts_.problem.empty()) {
    return;
  }
  if (!main_.refused.empty() || !second_.refused.empty()) {
    facts_.Problem("refused", main_.refused + second_.refused);
  }
  assessment_.GivenAway(conversation_.TakeUnsubmitted(facts_.now).has_value());
  if (!conversation_.ended()) {
    responses_.AtTheEnd();
    calls_.AtTheEnd();
    assessment_.AtTheEnd();
  }
}

}  // namespace voicebridge::worker

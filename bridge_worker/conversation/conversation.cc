#include "bridge_worker/conversation/conversation.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "bridge_worker/conversation/conversation_core.h"
#include "bridge_worker/conversation/session_config.h"
#include "bridge_worker/conversation/upstream_errors.h"
#include "common/core/audio.h"
#include "common/core/limits.h"

namespace voicebridge::worker {
namespace {

// Our own event ids; a client's id that looks like one is replaced on the way up.
constexpr std::string_view kOwnEventId = "vb_";
constexpr std::size_t kSentMax = 64;

Duration SecondsOr(std::uint32_t value, std::uint32_t otherwise) {
  return seconds(value == 0 ? otherwise : value);
}

Duration SessionTime(const v1::Profile& profile) {
  return SecondsOr(profile.limits().session_seconds(), 3600);
}

Duration IdleTime(const v1::Profile& profile) {
  return SecondsOr(profile.limits().idle_seconds(), 900);
}

}  // namespace

Conversation::Conversation(ConversationConfig config, TimePoint now)
    : core_(std::make_unique<Core>(std::move(config), now)) {}

Conversation::~Conversation() = default;

void Conversation::Handle(ConversationEvent event, TimePoint now, Effects& effects) {
  core_->Handle(std::move(event), now, effects);
}

std::optional<TimePoint> Conversation::NextDeadline() const { return core_->NextDeadline(); }
std::optional<StartAssessment> Conversation::TakeUnsubmitted(TimePoint now) {
  return core_->TakeUnsubmitted(now);
}
const v1::ConversationSnapshot& Conversation::snapshot() const { return core_->snapshot(); }
bool Conversation::ended() const { return core_->ended(); }
bool Conversation::sends_keepalives() const { return core_->sends_keepalives(); }
std::optional<Duration> Conversation::TakeAnswerDelay() { return core_->TakeAnswerDelay(); }

std::uint64_t Conversation::protocol_errors() const { return core_->protocol_errors(); }

Conversation::Core::Core(ConversationConfig config, TimePoint now)
    : config_(std::move(config)),
      session_end_(now + SessionTime(config_.profile)),
      now_(now),
      deadline_(now + limits::kHandshakeMax),
      transcript_(config_.session_id, config_.profile.name()),
      tools_(config_.profile),
      flow_(config_.profile, config_.session_id) {
  if (config_.snapshot) {
    Restore(*config_.snapshot);
  }
}

void Conversation::Core::Handle(ConversationEvent event, TimePoint now, Effects& effects) {
  if (ended()) {
    return;
  }
  now_ = now;
  effects_ = &effects;
  std::visit([this](auto& received) { Receive(received); }, event);
  if (!ended()) {
    ObserveTime();
  }
  if (!ended()) {
    AskForFollowUps();
    AdvanceInterview();
    SendNextResponses();
    transcript_.SetInterview(flow_.state());
    PublishDeltas();
  }
  effects_ = nullptr;
}

std::optional<TimePoint> Conversation::Core::NextDeadline() const {
  if (ended()) {
    return std::nullopt;
  }
  TimePoint next = std::min(session_end_, deadline_);
  if (phase_ != Phase::kReady) {
    return next;  // A restored interview goes on once it is.
  }
  for (const auto& each : {gate_.NextDeadline(), settings_.NextDeadline(), flow_.NextDeadline(),
                           speech_.NextDeadline()}) {
    next = std::min(next, each.value_or(next));
  }
  return next;
}

void Conversation::Core::Receive(const UpstreamMessage& message) {
  const auto event = ParseUpstreamEvent(message.text);
  if (!event.ok()) {
    ++protocol_errors_;
    return;
  }
  if (phase_ == Phase::kReady) {
    OnUpstreamEvent(*event, message.text);
  } else {
    Configure(*event);
  }
}

void Conversation::Core::Receive(const UpstreamClosed& closed) {
  UpstreamFailure failure = phase_ == Phase::kReady || upstream_expired_
                                ? FailureOfClose(closed.close_code, upstream_expired_)
                                : FailureOfCloseBeforeReady(closed.close_code);
  End(failure.reason, std::move(failure.message));
}

// Before Ready no client frame is welcome; one that comes all the same has no session to act on.
void Conversation::Core::Receive(const ClientEventReceived& event) {
  if (phase_ == Phase::kReady) {
    deadline_ = now_ + IdleTime(config_.profile);
    OnClientEvent(event.type, event.json);
  }
}

void Conversation::Core::Receive(ClientAudioReceived& audio) {
  if (phase_ != Phase::kReady || audio.pcm.empty()) {
    return;
  }
  deadline_ = now_ + IdleTime(config_.profile);
  if (!flow_.accepts_input()) {
    if (!std::exchange(told_input_closed_, true)) {
      AnswerWithError(InputRefusal(), {});
    }
    return;
  }
  input_.Appended(audio.first_sample, SamplesOfBytes(audio.pcm.size()));
  effects_->push_back(SendUpstreamAudio{std::move(audio.pcm)});
}

void Conversation::Core::Configure(const UpstreamEvent& event) {
  if (event.type == UpstreamEventType::kError) {
    RefusedAtStart(event);
  } else if (event.type == UpstreamEventType::kSessionCreated && phase_ == Phase::kConnecting) {
    SendConfiguration();
  } else if (event.type == UpstreamEventType::kSessionUpdated && phase_ == Phase::kConfiguring) {
    BeginServing(event);
  }
}

void Conversation::Core::SendConfiguration() {
  const std::string& initial =
      config_.snapshot ? config_.snapshot->settings().session_json() : config_.initial_session_json;
  const json::object session = InitialSession(config_.profile, initial);
  effects_->push_back(SendUpstream{SessionUpdateEvent(NextEventId(), session)});
  phase_ = Phase::kConfiguring;
}

void Conversation::Core::BeginServing(const UpstreamEvent& event) {
  const json::object* session = FindObject(event.body, "session");
  if (session == nullptr) {
    ++protocol_errors_;
    return;
  }
  phase_ = Phase::kReady;
  deadline_ = now_ + IdleTime(config_.profile);
  settings_.Confirmed(*session);
  effects_->push_back(BecomeReady{json::serialize(*session)});
  transcript_.SetSession(PortableSession(*session));
  flow_.Opened(now_);
  if (config_.snapshot) {
    ReplayHistory();
  } else {
    LoadGuidance();
  }
}

void Conversation::Core::RefusedAtStart(const UpstreamEvent& event) {
  const std::string code = ErrorOf(event.body).code;
  if (code == "session_expired") {
    upstream_expired_ = true;
  } else {
    UpstreamFailure failure = FailureOfCode(code);
    End(failure.reason, std::move(failure.message));
  }
}

void Conversation::Core::ObserveTime() {
  if (now_ >= session_end_) {
    End(v1::END_REASON_SESSION_LIMIT,
        fmt::format("The session reached its longest duration of {} s.",
                    std::chrono::duration_cast<seconds>(SessionTime(config_.profile)).count()));
    return;
  }
  if (now_ < deadline_) {
    ReportLateResponses();
    ReportLateUpdates();
    return;
  }
  if (phase_ != Phase::kReady) {
    End(v1::END_REASON_UPSTREAM_UNAVAILABLE, "The upstream did not configure the session in time.");
    return;
  }
  End(v1::END_REASON_SESSION_LIMIT,
      fmt::format("The session was idle: nothing came from the client for {} s.",
                  std::chrono::duration_cast<seconds>(IdleTime(config_.profile)).count()));
}

void Conversation::Core::ReportLateResponses() {
  for (const ResponseRequest& request : gate_.TakeExpired(now_)) {
    if (request.purpose == ResponsePurpose::kSummary) {
      effects_->push_back(ReportTrouble{"summary.failed", "response_start_timeout"});
      EndSummary();
      continue;
    }
    ProtocolError error;
    error.type = "server_error";
    error.code = "response_start_timeout";
    error.message = "The upstream did not start the response in time. Please try again.";
    effects_->push_back(ReportTrouble{"response.late", error.code});
    AnswerWithError(std::move(error), request.client_event_id);
  }
}

void Conversation::Core::ReportLateUpdates() {
  while (const auto update = settings_.TakeExpired(now_)) {
    ProtocolError error;
    error.type = "server_error";
    error.code = "session_update_timeout";
    error.message =
        "The upstream did not confirm the change of the session in time. Please try again.";
    effects_->push_back(ReportTrouble{"session.update_late", error.code});
    AnswerWithError(std::move(error), update->client_event_id);
  }
}

void Conversation::Core::SendNextResponses() {
  while (true) {
    const bool other_in_progress = gate_.IsBusy();
    const auto request = gate_.TakeNext(now_);
    if (!request) {
      return;
    }
    effects_->push_back(SendUpstream{WithLegalVoice(*request, other_in_progress)});
  }
}

void Conversation::Core::PublishDeltas() {
  for (v1::SnapshotDelta& delta : transcript_.TakeDeltas()) {
    effects_->push_back(PublishSnapshotDelta{std::move(delta)});
  }
}

void Conversation::Core::End(EndReason reason, std::string message) {
  PublishDeltas();
  phase_ = Phase::kEnded;
  effects_->push_back(EndSession{reason, std::move(message)});
}

std::string Conversation::Core::NextEventId() {
  return fmt::format("{}{}", kOwnEventId, ++last_event_number_);
}

bool Conversation::Core::IsOwnEventId(std::string_view event_id) {
  return event_id.starts_with(kOwnEventId);
}

std::string Conversation::Core::UpstreamEventId(std::string_view client_event_id) {
  const bool usable = !client_event_id.empty() && !IsOwnEventId(client_event_id);
  return usable ? std::string(client_event_id) : NextEventId();
}

void Conversation::Core::Remember(SentCommand command) {
  if (sent_.size() >= kSentMax) {
    sent_.pop_front();
  }
  sent_.push_back(std::move(command));
}

void Conversation::Core::SendToClient(std::string_view type, std::string json,
                                      std::string_view drops_audio_of) {
  SendClientEvent effect;
  effect.event.set_seq(++seq_);
  effect.event.set_type(std::string(type));
  effect.event.set_json(std::move(json));
  effect.event.set_drops_audio_of_response_id(std::string(drops_audio_of));
  effects_->push_back(std::move(effect));
  transcript_.CoverSeq(seq_);
}

void Conversation::Core::AnswerWithError(ProtocolError error, std::string_view client_event_id) {
  error.event_id = client_event_id;
  SendToClient("error", ErrorEvent("event_" + NextEventId(), error));
}

void Conversation::Core::DropAudio(const std::string& response_id) {
  gate_.Silence(response_id);
  effects_->push_back(DropQueuedAudio{response_id});
}

void Conversation::Core::SendCancel(const std::string& response_id,
                                    std::string_view client_event_id) {
  DropAudio(response_id);
  SentCommand command{UpstreamEventId(client_event_id), std::string(client_event_id), {}};
  SendAbout(response_id,
            ResponseCancelEvent(command.event_id, SummarySpeech::WithoutPrefix(response_id)));
  Remember(std::move(command));
}

// To the upstream that gave the response or item this id; one that is closed already needs nothing.
void Conversation::Core::SendAbout(std::string_view id, std::string json) {
  if (!SummarySpeech::IsSecondId(id)) {
    effects_->push_back(SendUpstream{std::move(json)});
  } else if (speech_.has_second()) {
    effects_->push_back(SendSummary{std::move(json)});
  }
}

}  // namespace voicebridge::worker

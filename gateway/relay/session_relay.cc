#include "gateway/relay/session_relay.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/core/audio.h"
#include "common/core/limits.h"
#include "common/core/snapshot.h"

namespace voicebridge::gateway {
namespace {

// A client can only cut what it still plays: a handful of items. Older ones pass unclamped, and the
// worker, which knows every item, has the last word.
constexpr std::size_t kItemsRemembered = 32;
constexpr std::size_t kSilencedRemembered = 32;

// Whether another worker may do better.
bool IsWorthAnotherWorker(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsResourceExhausted(status) ||
         absl::IsAborted(status) || absl::IsCancelled(status) || absl::IsDeadlineExceeded(status);
}

}  // namespace

void SessionRelay::Handle(RelayEvent event, RelayEffects& effects) {
  if (phase_ == Phase::kEnded) {
    return;
  }
  std::visit([&](auto& concrete) { On(concrete, effects); }, event);
}

void SessionRelay::On(SessionStarted&, RelayEffects& effects) { Attach(effects); }

void SessionRelay::Attach(RelayEffects& effects) {
  ++epoch_;
  v1::Attach attach;
  attach.set_session_id(config_.session_id);
  attach.set_epoch(epoch_);
  attach.set_profile(config_.profile);
  attach.set_model(config_.model);
  attach.set_initial_session_json(config_.initial_session_json);
  attach.set_traceparent(config_.traceparent);
  effects.emplace_back(AttachWorker{std::move(attach)});
}

// --- from the browser ---------------------------------------------------------------------------

void SessionRelay::On(ClientText& event, RelayEffects& effects) {
  OnDecoded(DecodeClientText(event.text), event.text, effects);
}

void SessionRelay::On(ClientBinary& event, RelayEffects& effects) {
  OnDecoded(config_.audio_framing == AudioFraming::kBinary ? DecodeAudioFrame(event.message)
                                                           : Decoded(RefuseBinary()),
            "", effects);
}

// `json`: the message, when it is text.
void SessionRelay::OnDecoded(Decoded decoded, std::string_view json, RelayEffects& effects) {
  if (auto* audio = std::get_if<DecodedAudio>(&decoded)) {
    ForwardAudio(std::move(*audio), effects);
  } else if (auto* client_event = std::get_if<DecodedEvent>(&decoded)) {
    ForwardEvent(std::move(*client_event), json, effects);
  } else {
    effects.emplace_back(SendClientEvent{std::move(std::get<DecodeError>(decoded).event_json)});
  }
}

void SessionRelay::On(ClientClosed& event, RelayEffects& effects) {
  switch (event.close_code) {
    case 1002:
    case 1007:
    case 1009:
      return End(v1::END_REASON_PROTOCOL_ERROR, "", effects);
    case 1006:
      return End(v1::END_REASON_CLIENT_LOST, "", effects);
    default:
      return End(v1::END_REASON_CLIENT_CLOSED, "", effects);
  }
}

void SessionRelay::ForwardAudio(DecodedAudio audio, RelayEffects& effects) {
  const std::uint64_t samples = SamplesOfBytes(audio.pcm.size());
  if (samples == 0) {
    return;
  }
  SendWorker send;
  v1::ClientAudio& out = *send.frame.mutable_audio();
  out.set_pcm(std::move(audio.pcm));
  out.set_first_sample(next_sample_);
  next_sample_ += samples;
  effects.emplace_back(std::move(send));
}

void SessionRelay::ForwardEvent(DecodedEvent event, std::string_view json, RelayEffects& effects) {
  SendWorker send;
  v1::ClientEvent& out = *send.frame.mutable_client_event();
  out.set_json(event.audio_end_ms >= 0 ? Clamped(event, json) : std::string(json));
  if (event.audio_end_ms >= 0) {
    if (const ItemAudio* item = FindItem(event.item_id)) {
      Silence(item->response_id, effects);
    }
  } else if (event.type == "response.cancel") {
    if (!event.response_id.empty()) {
      Silence(event.response_id, effects);
    } else if (!item_audio_.empty()) {
      Silence(item_audio_.back().response_id, effects);
    }
  }
  out.set_type(std::move(event.type));
  effects.emplace_back(std::move(send));
}

// A client cannot have played what its socket was never given.
std::string SessionRelay::Clamped(const DecodedEvent& truncate, std::string_view json) const {
  const ItemAudio* item = FindItem(truncate.item_id);
  if (item == nullptr) {
    return std::string(json);
  }
  const auto delivered_ms =
      static_cast<std::int64_t>(MillisecondsOfSamples(item->delivered_samples));
  return truncate.audio_end_ms <= delivered_ms ? std::string(json)
                                               : WithAudioEnd(json, delivered_ms);
}

// --- from the worker ----------------------------------------------------------------------------

void SessionRelay::On(WorkerFrame& event, RelayEffects& effects) {
  if (event.epoch != epoch_) {
    ++stale_frames_;
    return;
  }
  v1::ToGateway& frame = event.frame;
  switch (frame.frame_case()) {
    case v1::ToGateway::kReady:
      return OnReady(frame.ready(), effects);
    case v1::ToGateway::kEvent:
      return OnServerEvent(*frame.mutable_event(), effects);
    case v1::ToGateway::kAudio:
      return OnServerAudio(*frame.mutable_audio(), effects);
    case v1::ToGateway::kSnapshotDelta:
      if (!ApplyDelta(frame.snapshot_delta(), snapshot_)) {
        ++stale_frames_;
      }
      CondenseTo(limits::kSnapshotMax, snapshot_);
      return;
    case v1::ToGateway::kAudioAccepted:
      committed_through_sample_ =
          std::max(committed_through_sample_, frame.audio_accepted().committed_through_sample());
      return;
    case v1::ToGateway::kAttaching:
      if (phase_ == Phase::kAttaching) {
        effects.emplace_back(AwaitReady{});
      }
      return;
    case v1::ToGateway::kGoAway:
      return OnGoAway(frame.go_away(), effects);
    case v1::ToGateway::kEnded:
      return OnEnded(frame.ended(), effects);
    case v1::ToGateway::kDetached:
    case v1::ToGateway::FRAME_NOT_SET:
      return;  // Only asked for when the session ends; and frames of a newer worker.
  }
}

void SessionRelay::OnReady(const v1::Ready& ready, RelayEffects& effects) {
  if (phase_ != Phase::kAttaching) {
    ++stale_frames_;
    return;
  }
  phase_ = Phase::kOpen;
  snapshot_.set_session_id(config_.session_id);
  snapshot_.set_profile(config_.profile);
  effects.emplace_back(SendClientEvent{SessionCreatedEvent(ready.session_json())});
  effects.emplace_back(SendClientEvent{
      SessionReadyEvent(config_.session_id, config_.profile, config_.access_token)});
  effects.emplace_back(OpenWorkerQueue{});
}

// A session that a worker has not begun is no loss to move: it begins on another one.
void SessionRelay::OnGoAway(const v1::GoAway& go_away, RelayEffects& effects) {
  const auto& left = go_away.time_left();
  const std::int64_t left_ms = left.seconds() * 1000 + left.nanos() / 1'000'000;
  if (phase_ == Phase::kAttaching) {
    drained_unready_ms_ = left_ms;
    return Attach(effects);
  }
  AnnounceDrain(left_ms, effects);
}

void SessionRelay::OnEnded(const v1::Ended& ended, RelayEffects& effects) {
  if (phase_ == Phase::kAttaching && ended.reason() == v1::END_REASON_DRAINING) {
    drained_unready_ms_ = 0;
    return Attach(effects);
  }
  Fail(ended.reason(), ended.message(), effects);
}

void SessionRelay::OnServerEvent(v1::ServerEvent& event, RelayEffects& effects) {
  if (!event.drops_audio_of_response_id().empty()) {
    Silence(event.drops_audio_of_response_id(), effects);
  }
  effects.emplace_back(SendClientEvent{std::move(*event.mutable_json())});
}

void SessionRelay::OnServerAudio(v1::ServerAudio& audio, RelayEffects& effects) {
  if (IsSilenced(audio.response_id())) {
    return;
  }
  if (FindItem(audio.item_id()) == nullptr) {
    if (item_audio_.size() == kItemsRemembered) {
      item_audio_.pop_front();
    }
    item_audio_.push_back(ItemAudio{audio.item_id(), audio.response_id(), 0});
  }
  effects.emplace_back(SendClientAudio{std::move(audio)});
}

void SessionRelay::On(AudioDelivered& event, RelayEffects&) {
  if (ItemAudio* item = FindItem(event.item_id)) {
    item->delivered_samples = std::max(item->delivered_samples, event.end_sample);
  }
}

void SessionRelay::Silence(const std::string& response_id, RelayEffects& effects) {
  if (!IsSilenced(response_id)) {
    if (silenced_responses_.size() == kSilencedRemembered) {
      silenced_responses_.pop_front();
    }
    silenced_responses_.push_back(response_id);
  }
  effects.emplace_back(DropQueuedAudio{response_id});
}

bool SessionRelay::IsSilenced(std::string_view response_id) const {
  return std::find(silenced_responses_.begin(), silenced_responses_.end(), response_id) !=
         silenced_responses_.end();
}

// --- how it ends --------------------------------------------------------------------------------

void SessionRelay::On(WorkerLost& event, RelayEffects& effects) {
  if (event.epoch != epoch_) {
    ++stale_frames_;
    return;
  }
  if (phase_ == Phase::kOpen) {
    return Fail(v1::END_REASON_WORKER_LOST,
                "The worker that held this conversation is gone. Start a new one.", effects);
  }
  if (IsWorthAnotherWorker(event.status)) {
    return Attach(effects);
  }
  const bool refused = absl::IsNotFound(event.status) || absl::IsInvalidArgument(event.status);
  Fail(refused ? v1::END_REASON_POLICY : v1::END_REASON_INTERNAL,
       std::string_view(event.status.message().data(), event.status.message().size()), effects);
}

void SessionRelay::On(NoWorkerLeft&, RelayEffects& effects) {
  if (drained_unready_ms_) {  // It was among the sessions of a drain, which are told so.
    AnnounceDrain(*drained_unready_ms_, effects);
    return End(v1::END_REASON_DRAINING, "This server is going away.", effects);
  }
  Fail(v1::END_REASON_NO_WORKER, "No worker can take a conversation now. Try again in a moment.",
       effects);
}

void SessionRelay::On(DrainAnnounced& event, RelayEffects& effects) {
  AnnounceDrain(std::chrono::duration_cast<milliseconds>(event.time_left).count(), effects);
}

void SessionRelay::AnnounceDrain(std::int64_t left_ms, RelayEffects& effects) {
  drain_announced_ = true;
  effects.emplace_back(SendClientEvent{SessionDrainingEvent(left_ms)});
}

void SessionRelay::On(EndRequested& event, RelayEffects& effects) {
  if (event.reason == v1::END_REASON_DRAINING && !drain_announced_) {
    AnnounceDrain(std::chrono::duration_cast<milliseconds>(event.time_left).count(), effects);
  }
  End(event.reason,
      event.reason == v1::END_REASON_ENDED_BY_OPERATOR ? "An operator ended the session."
                                                       : "This server is going away.",
      effects);
}

// Kept by the gateway: whichever worker has the session, it is the same session.
void SessionRelay::On(SessionTimeOver&, RelayEffects& effects) {
  Fail(v1::END_REASON_SESSION_LIMIT,
       fmt::format("This client secret allows sessions of {} s.",
                   std::chrono::duration_cast<seconds>(config_.session_max).count()),
       effects);
}

void SessionRelay::On(TaskFailed&, RelayEffects& effects) {
  Fail(v1::END_REASON_INTERNAL, "Something went wrong on our side. Start a new conversation.",
       effects);
}

void SessionRelay::On(Stalled& event, RelayEffects& effects) {
  Fail(event.reason,
       event.reason == v1::END_REASON_SLOW_CLIENT ? "The client did not read for too long."
                                                  : "The upstream did not read for too long.",
       effects);
}

// An end that the client did not ask for: it is told as an error first.
void SessionRelay::Fail(EndReason reason, std::string_view message, RelayEffects& effects) {
  if (reason != v1::END_REASON_DRAINING && reason != v1::END_REASON_ENDED_BY_OPERATOR) {
    const bool ours = reason != v1::END_REASON_POLICY && reason != v1::END_REASON_SESSION_LIMIT;
    effects.emplace_back(SendClientEvent{ErrorEvent(ours ? "server_error" : "invalid_request_error",
                                                    TraitsOf(reason).word, message, "", "")});
  }
  End(reason, message, effects);
}

void SessionRelay::End(EndReason reason, std::string_view message, RelayEffects& effects) {
  phase_ = Phase::kEnded;
  effects.emplace_back(SendClientEvent{SessionEndedEvent(TraitsOf(reason).word, message)});
  effects.emplace_back(EndSession{reason});
}

SessionRelay::ItemAudio* SessionRelay::FindItem(std::string_view item_id) {
  // Backwards: the item that is played now is the last.
  const auto found = std::find_if(item_audio_.rbegin(), item_audio_.rend(),
                                  [&](const ItemAudio& item) { return item.item_id == item_id; });
  return found == item_audio_.rend() ? nullptr : &*found;
}

const SessionRelay::ItemAudio* SessionRelay::FindItem(std::string_view item_id) const {
  return const_cast<SessionRelay*>(this)->FindItem(item_id);
}

}  // namespace voicebridge::gateway

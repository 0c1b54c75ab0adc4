// What a gateway does with the frames of one session, without I/O: the relay between a browser and
// whichever worker is attached. Handover, recovery and resume are further states of this machine.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/core/end_reason.h"
#include "common/core/time.h"
#include "gateway/client/audio_frame.h"
#include "gateway/client/client_protocol.h"
#include "voicebridge/v1/bridge.pb.h"
#include "voicebridge/v1/conversation.pb.h"

namespace voicebridge::gateway {

// --- what happens to a session ------------------------------------------------------------------

// Once, first: the client has come in.
struct SessionStarted {};
struct ClientText {
  std::string_view text;
};
struct ClientBinary {
  std::string_view message;
};
struct ClientClosed {
  std::uint16_t close_code;
};
// `frame` is moved from.
struct WorkerFrame {
  std::uint64_t epoch;
  v1::ToGateway& frame;
};
// The attachment of this epoch ended without Ended or Detached: its call's status. Before Ready
// another worker may be tried.
struct WorkerLost {
  std::uint64_t epoch;
  absl::Status status;
};
// There is no worker left to try within the handshake budget.
struct NoWorkerLeft {};
// An audio frame was handed to the browser's socket.
struct AudioDelivered {
  std::string_view item_id;
  std::uint64_t end_sample;  // Within the item.
};
// This gateway is being drained: the session goes on for that long.
struct DrainAnnounced {
  Duration time_left;
};
// This gateway is asked to end the session: a drain, or an operator.
struct EndRequested {
  EndReason reason;
  Duration time_left;
};
// It has lasted as long as its client secret allows.
struct SessionTimeOver {};
// A queue stayed full for as long as the limit allows.
struct Stalled {
  EndReason reason;  // SLOW_CLIENT or UPSTREAM_STALLED.
};
// A task of the session ended by an exception, which is a bug.
struct TaskFailed {};

using RelayEvent = std::variant<SessionStarted, ClientText, ClientBinary, ClientClosed, WorkerFrame,
                                WorkerLost, NoWorkerLeft, AudioDelivered, DrainAnnounced,
                                EndRequested, SessionTimeOver, Stalled, TaskFailed>;

// --- what the driver has to do, in order --------------------------------------------------------

// Give up the call that is open, if any; open a Converse call on a worker that was not tried yet
// and send this; time_left is the driver's to fill in. Frames to the worker wait until
// OpenWorkerQueue.
struct AttachWorker {
  v1::Attach attach;
};
// The worker has answered the attach: it may take what is left of the handshake budget.
struct AwaitReady {};
struct OpenWorkerQueue {};
struct SendWorker {
  v1::ToWorker frame;
};
struct SendClientEvent {
  std::string json;
};
struct SendClientAudio {
  v1::ServerAudio audio;
};
// Audio of this response that still waits for the browser is void.
struct DropQueuedAudio {
  std::string response_id;
};
// The last effect. Deliver what is queued for the browser unless it is gone or slow, then close.
struct EndSession {
  EndReason reason;
};

using RelayEffect = std::variant<AttachWorker, AwaitReady, OpenWorkerQueue, SendWorker,
                                 SendClientEvent, SendClientAudio, DropQueuedAudio, EndSession>;
using RelayEffects = std::vector<RelayEffect>;

struct RelayConfig {
  std::string session_id;
  std::string profile;
  AudioFraming audio_framing = AudioFraming::kJson;
  std::string model;                 // `model=` of the client; empty: the profile's.
  std::string initial_session_json;  // Defaults of a client secret; empty: none.
  std::string traceparent;           // Of this session, with a span of the gateway.
  std::string access_token;          // For voicebridge.session.ready.
  Duration session_max{};            // By the client secret; zero: as long as the profile allows.
};

// Owned by its driver, used on one executor. EndSession is the last effect of its life; later
// events are ignored.
class SessionRelay {
 public:
  explicit SessionRelay(RelayConfig config) : config_(std::move(config)) {}

  void Handle(RelayEvent event, RelayEffects& effects);

  Duration session_max() const { return config_.session_max; }
  bool ended() const { return phase_ == Phase::kEnded; }
  bool ready() const { return phase_ == Phase::kOpen; }
  std::uint64_t epoch() const { return epoch_; }
  // Kept for the next worker.
  const v1::ConversationSnapshot& snapshot() const { return snapshot_; }
  std::uint64_t committed_through_sample() const { return committed_through_sample_; }
  // Frames of an older epoch, and deltas that did not follow: dropped and counted.
  std::uint64_t stale_frames() const { return stale_frames_; }

 private:
  enum class Phase { kAttaching, kOpen, kEnded };

  void On(SessionStarted& event, RelayEffects& effects);
  void On(ClientText& event, RelayEffects& effects);
  void On(ClientBinary& event, RelayEffects& effects);
  void On(ClientClosed& event, RelayEffects& effects);
  void On(WorkerFrame& event, RelayEffects& effects);
  void On(WorkerLost& event, RelayEffects& effects);
  void On(NoWorkerLeft& event, RelayEffects& effects);
  void On(AudioDelivered& event, RelayEffects& effects);
  void On(DrainAnnounced& event, RelayEffects& effects);
  void On(EndRequested& event, RelayEffects& effects);
  void On(SessionTimeOver& event, RelayEffects& effects);
  void On(Stalled& event, RelayEffects& effects);
  void On(TaskFailed& event, RelayEffects& effects);

  void OnDecoded(Decoded decoded, std::string_view json, RelayEffects& effects);
  void Attach(RelayEffects& effects);
  void ForwardEvent(DecodedEvent event, std::string_view json, RelayEffects& effects);
  void ForwardAudio(DecodedAudio audio, RelayEffects& effects);
  std::string Clamped(const DecodedEvent& truncate, std::string_view json) const;
  void OnReady(const v1::Ready& ready, RelayEffects& effects);
  void OnGoAway(const v1::GoAway& go_away, RelayEffects& effects);
  void OnEnded(const v1::Ended& ended, RelayEffects& effects);
  void OnServerEvent(v1::ServerEvent& event, RelayEffects& effects);
  void OnServerAudio(v1::ServerAudio& audio, RelayEffects& effects);
  void AnnounceDrain(std::int64_t left_ms, RelayEffects& effects);
  void Silence(const std::string& response_id, RelayEffects& effects);
  bool IsSilenced(std::string_view response_id) const;
  void Fail(EndReason reason, std::string_view message, RelayEffects& effects);
  void End(EndReason reason, std::string_view message, RelayEffects& effects);

  // What a truncate needs to know of an item that has audio.
  struct ItemAudio {
    std::string item_id;
    std::string response_id;
    std::uint64_t delivered_samples = 0;
  };
  ItemAudio* FindItem(std::string_view item_id);
  const ItemAudio* FindItem(std::string_view item_id) const;

  RelayConfig config_;
  Phase phase_ = Phase::kAttaching;
  std::uint64_t epoch_ = 0;
  std::uint64_t next_sample_ = 0;
  std::uint64_t committed_through_sample_ = 0;
  std::uint64_t stale_frames_ = 0;
  bool drain_announced_ = false;
  // A worker had taken the session and was drained before it was ready: the time that it had left.
  std::optional<std::int64_t> drained_unready_ms_;
  std::deque<ItemAudio> item_audio_;            // The latest items only, oldest first.
  std::deque<std::string> silenced_responses_;  // The latest only, oldest first.
  v1::ConversationSnapshot snapshot_;
};

}  // namespace voicebridge::gateway

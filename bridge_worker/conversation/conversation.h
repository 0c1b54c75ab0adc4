// The rules of a conversation, without I/O: the worker's core.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bridge_worker/interview/assessment_update.h"
#include "common/core/end_reason.h"
#include "common/core/time.h"
#include "voicebridge/v1/bridge.pb.h"
#include "voicebridge/v1/conversation.pb.h"
#include "voicebridge/v1/profile.pb.h"

namespace voicebridge::worker {

// --- what happens to a conversation -------------------------------------------------------------

struct UpstreamMessage {
  std::string_view text;  // One server event, JSON.
};
struct UpstreamClosed {
  std::uint16_t close_code;  // As common/websocket/connection.h defines it.
  std::string_view reason;
};
struct ClientEventReceived {
  std::string_view type;
  std::string_view json;
};
struct ClientAudioReceived {
  std::string pcm;  // Whole samples.
  std::uint64_t first_sample = 0;
};
struct TimePassed {};
// A StartTool has ended.
struct ToolFinished {
  std::string_view call_id;
  std::string_view output;  // For the model.
};
struct AssessmentUpdated {
  AssessmentUpdate update;
};
// Of the second upstream, after OpenSummary.
struct SummaryMessage {
  std::string_view text;
};
// It could not be opened, or is closed.
struct SummaryClosed {};

using ConversationEvent =
    std::variant<UpstreamMessage, UpstreamClosed, ClientEventReceived, ClientAudioReceived,
                 TimePassed, ToolFinished, AssessmentUpdated, SummaryMessage, SummaryClosed>;

// --- what the driver has to do, in order --------------------------------------------------------

struct SendUpstream {
  std::string json;  // One client event, complete.
};
struct SendUpstreamAudio {
  std::string pcm;  // Becomes one input_audio_buffer.append.
};
struct SendClientEvent {
  v1::ServerEvent event;
};
struct SendClientAudio {
  v1::ServerAudio audio;
};
// Audio of this response that still waits in the worker's queue is void. Precedes the
// SendClientEvent whose drops_audio_of_response_id tells the gateway the same.
struct DropQueuedAudio {
  std::string response_id;
};
struct BecomeReady {
  std::string session_json;  // The effective session object, as the upstream confirmed it.
};
struct PublishSnapshotDelta {
  v1::SnapshotDelta delta;
};
struct AcceptAudio {
  std::uint64_t committed_through_sample;
};
// For the operator: the session goes on, but the user did not get all of it.
struct ReportTrouble {
  std::string_view event;  // Of the log, a literal: "response.failed".
  std::string reason;      // A code; nobody's words.
};
// Once per call_id; answered by ToolFinished, whatever happens.
struct StartTool {
  std::string call_id;
  const v1::Tool* tool;  // Of the profile.
  std::string arguments_json;
};
// Stored and run beside the conversation; answered by AssessmentUpdated. It goes on when the
// session ends.
struct StartAssessment {
  std::string assessment_id;
  std::string input_json;  // EncodeAssessmentInput.
  // Not zero: transcripts are still missing. It is only to be stored, and comes again within this.
  Duration words_awaited{};
};
struct RetryAssessment {};
// The second upstream: a fresh connection. Its messages come as SummaryMessage.
struct OpenSummary {};
struct SendSummary {
  std::string json;
};
struct CloseSummary {};
struct EndSession {
  EndReason reason;
  std::string message;  // In plain words, for the client; no secret in it.
};

using Effect = std::variant<SendUpstream, SendUpstreamAudio, SendClientEvent, SendClientAudio,
                            DropQueuedAudio, BecomeReady, PublishSnapshotDelta, AcceptAudio,
                            ReportTrouble, StartTool, StartAssessment, RetryAssessment, OpenSummary,
                            SendSummary, CloseSummary, EndSession>;
using Effects = std::vector<Effect>;

struct ConversationConfig {
  std::string session_id;
  v1::Profile profile;               // Validated (common/config/profiles.h).
  std::string initial_session_json;  // Session defaults of a client secret; empty: none.
  // Of an earlier attachment: the conversation goes on from it, on a fresh upstream.
  std::optional<v1::ConversationSnapshot> snapshot = {};
};

// One conversation over one upstream connection. Owned by its session driver, used on one executor;
// nothing here blocks, logs, throws or reads a clock.
//
// Life: the upstream's session.created makes it send the configuration; session.updated makes it
// send the history of a restored conversation, and ready; from then on client events are welcome.
// EndSession is the last effect of its life; later events are ignored.
class Conversation {
 public:
  Conversation(ConversationConfig config, TimePoint now);
  ~Conversation();

  // Appends to `effects`, which the caller reuses.
  void Handle(ConversationEvent event, TimePoint now, Effects& effects);

  // When it wants TimePassed; nullopt: not at all.
  std::optional<TimePoint> NextDeadline() const;

  // When the session ends, however it does: the assessment that was triggered and still waits for
  // transcripts, as it is.
  std::optional<StartAssessment> TakeUnsubmitted(TimePoint now);

  const v1::ConversationSnapshot& snapshot() const;
  bool ended() const;
  // Whether the client is sent a sign of life every 3 s, because an assessment is being written.
  bool sends_keepalives() const;

  // To be asked after a SendClientAudio: how long the user had waited for it, from the end of the
  // turn that it answers; once per turn.
  std::optional<Duration> TakeAnswerDelay();

  // Upstream messages that were malformed or of a type unknown to us: skipped or passed on, and
  // counted.
  std::uint64_t protocol_errors() const;

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace voicebridge::worker

// The inside of Conversation: the parts composed. Only conversation/*.cc include this.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "bridge_worker/conversation/conversation.h"
#include "bridge_worker/conversation/input_audio.h"
#include "bridge_worker/conversation/interview_flow.h"
#include "bridge_worker/conversation/output_audio.h"
#include "bridge_worker/conversation/response_gate.h"
#include "bridge_worker/conversation/session_settings.h"
#include "bridge_worker/conversation/summary_speech.h"
#include "bridge_worker/conversation/tool_calls.h"
#include "bridge_worker/conversation/transcript.h"
#include "bridge_worker/conversation/voice_policy.h"
#include "bridge_worker/upstream/realtime_protocol.h"
#include "common/core/answer_timer.h"

namespace voicebridge::worker {

// conversation.cc holds life, time and what both directions use; upstream_events.cc,
// upstream_error_events.cc and client_events.cc hold one handler per event type; tool_events.cc,
// interview_events.cc and summary_events.cc what the worker does by itself.
class Conversation::Core {
 public:
  Core(ConversationConfig config, TimePoint now);

  void Handle(ConversationEvent event, TimePoint now, Effects& effects);
  std::optional<TimePoint> NextDeadline() const;
  std::optional<StartAssessment> TakeUnsubmitted(TimePoint now);

  const v1::ConversationSnapshot& snapshot() const { return transcript_.snapshot(); }
  bool ended() const { return phase_ == Phase::kEnded; }
  bool sends_keepalives() const { return flow_.sends_keepalives(); }
  std::uint64_t protocol_errors() const { return protocol_errors_; }
  std::optional<Duration> TakeAnswerDelay() { return std::exchange(answer_delay_, std::nullopt); }

 private:
  enum class Phase { kConnecting, kConfiguring, kReady, kEnded };

  // A command of ours or the client's that nothing but an error answers by its event id.
  struct SentCommand {
    std::string event_id;
    std::string client_event_id;
    std::string deleted_item_id;  // Of a delete that stands for a truncate to nothing.
  };
  // A truncate to nothing, sent as a delete: the client is told of the truncate first.
  struct PendingDelete {
    std::string item_id;
    std::string response_id;
    std::int64_t content_index;
  };

  // --- conversation.cc
  void Receive(const UpstreamMessage& message);
  void Receive(const UpstreamClosed& closed);
  void Receive(const ClientEventReceived& event);
  void Receive(ClientAudioReceived& audio);
  void Receive(const TimePassed&) {}
  void Receive(const ToolFinished& finished);
  void Receive(const AssessmentUpdated& updated);
  void Receive(const SummaryMessage& message);
  void Receive(const SummaryClosed& closed);
  void Configure(const UpstreamEvent& event);
  void SendConfiguration();
  void BeginServing(const UpstreamEvent& event);
  void RefusedAtStart(const UpstreamEvent& event);
  void ObserveTime();
  void ReportLateResponses();
  void ReportLateUpdates();
  void SendNextResponses();
  void PublishDeltas();
  void End(EndReason reason, std::string message);

  std::string NextEventId();
  static bool IsOwnEventId(std::string_view event_id);
  std::string UpstreamEventId(std::string_view client_event_id);
  void Remember(SentCommand command);
  void SendToClient(std::string_view type, std::string json, std::string_view drops_audio_of = {});
  void AnswerWithError(ProtocolError error, std::string_view client_event_id);
  void DropAudio(const std::string& response_id);
  void SendCancel(const std::string& response_id, std::string_view client_event_id);
  void SendAbout(std::string_view id, std::string json);

  // --- upstream_events.cc
  void OnUpstreamEvent(const UpstreamEvent& event, std::string_view text);
  void OnSessionUpdated(const UpstreamEvent& event, std::string_view text);
  void OnItemAdded(const UpstreamEvent& event, std::string_view text);
  void OnItemDone(const UpstreamEvent& event, std::string_view text);
  void OnItemDeleted(const UpstreamEvent& event, std::string_view text);
  void OnItemTruncated(const UpstreamEvent& event, std::string_view text);
  void OnTranscription(const UpstreamEvent& event, std::string_view text);
  void OnInputCommitted(const UpstreamEvent& event, std::string_view text);
  void OnSpeechStarted(const UpstreamEvent& event, std::string_view text);
  void OnSpeechEnded(const UpstreamEvent& event, std::string_view text);
  void OnResponseCreated(const UpstreamEvent& event, std::string_view text);
  void OnResponseDone(const UpstreamEvent& event, std::string_view text);
  void ReportResponse(const json::object& body);
  void OnOutputItemAdded(const UpstreamEvent& event, std::string_view text);
  void OnOutputItemDone(const UpstreamEvent& event, std::string_view text);
  void OnAudioDelta(const UpstreamEvent& event);
  void OnTranscriptDelta(const UpstreamEvent& event, std::string_view text);
  void NoteItemDone(const json::object& item, const Transcript::Placement& placement);
  void Forward(const UpstreamEvent& event, std::string_view text,
               std::string_view drops_audio_of = {});

  // --- upstream_error_events.cc
  void OnError(const UpstreamEvent& event, std::string_view text);
  bool IsSettledQuietly(const ProtocolError& error);
  std::optional<std::string> OwnerOf(const ProtocolError& error);
  void ForwardError(const UpstreamEvent& event, std::string_view text, ProtocolError error,
                    const std::string& client_event_id);

  // --- client_events.cc
  using ClientHandler = void (Core::*)(const json::object& body, std::string_view json);
  static ClientHandler HandlerOf(std::string_view type);
  void OnClientEvent(std::string_view type, std::string_view json);
  void OnSessionUpdate(const json::object& body, std::string_view json);
  void OnResponseCreate(const json::object& body, std::string_view json);
  void OnResponseCancel(const json::object& body, std::string_view json);
  void OnItemCreate(const json::object& body, std::string_view json);
  void OnItemTruncate(const json::object& body, std::string_view json);
  void OnInputCommit(const json::object& body, std::string_view json);
  void OnInputClear(const json::object& body, std::string_view json);
  void ApplyVoicePolicy(json::object& session);
  void ReplaceVoiceByWish(json::object& session, std::string_view why);
  void SendSessionUpdate(json::object session, std::string_view client_event_id);
  std::string WithLegalVoice(const ResponseRequest& request, bool other_response_in_progress);
  VoiceDecision DecideVoiceNow(const json::value& wish, bool response_in_progress) const;
  void TruncateItem(const v1::ConversationItem& item, std::int64_t content_index,
                    std::uint64_t requested_ms, std::string_view client_event_id);
  void AnswerTruncate(const std::string& item_id, std::int64_t content_index,
                      const TruncatePlan& plan);
  std::string ResponseOf(const v1::ConversationItem& item) const;
  ItemAudioState AudioOf(const v1::ConversationItem& item) const;

  // --- restore.cc
  void Restore(const v1::ConversationSnapshot& snapshot);
  void ReplayHistory();
  bool IsReplayed(const UpstreamEvent& event) const;

  // --- tool_events.cc
  void LoadGuidance();
  void Adopt(const json::object& item);
  void ObserveCalls(const UpstreamEvent& event);
  void StartCall(AnnouncedCall call);
  void AnswerCall(std::string_view call_id, std::string_view output);
  void AskForFollowUps();
  std::optional<std::string> VisibleText(const UpstreamEvent& event, std::string_view text) const;
  std::string VisiblePredecessor(std::string_view item_id) const;

  // --- interview_events.cc
  void AdvanceInterview();
  void Trigger(std::string reason);
  void RefuseHeld();
  StartAssessment Submission(Duration words_awaited) const;
  void Announce();
  void On(const AssessmentStored& stored);
  void On(const AssessmentQueued& queued);
  void On(const AssessmentRunning& running);
  void On(const AssessmentCompleted& completed);
  void On(const AssessmentFailed& failed);
  bool RefusesInput(std::string_view type) const;
  ProtocolError InputRefusal() const;
  void OnAssessmentRequest(const json::object& body, std::string_view json);
  void OnAssessmentRetry(const json::object& body, std::string_view json);
  bool AreTranscriptsPending() const;
  void SendInterviewEvent(std::string_view type, json::object members);

  // --- summary_events.cc
  void AdvanceSummary();
  void BeginSummary();
  void SpeakOnSecond();
  void SpeakOnMain();
  std::string SummaryInstructions() const;
  void OnSummaryEvent(UpstreamEvent event);
  void SummaryFailed(std::string_view why);
  void EndSummary();
  void CloseSummaryResponse();

  const ConversationConfig config_;
  const TimePoint session_end_;
  TimePoint now_;
  TimePoint deadline_;  // Until ready: of the handshake. Then: of the client's next sign of life.
  Effects* effects_ = nullptr;  // The caller's, while Handle runs.

  Phase phase_ = Phase::kConnecting;
  SessionSettings settings_;
  Transcript transcript_;
  ResponseGate gate_;
  InputAudio input_;
  OutputAudio output_;
  ToolCalls tools_;
  InterviewFlow flow_;
  SummarySpeech speech_;
  AnswerTimer answer_;
  std::optional<Duration> answer_delay_;       // Until it is taken.
  std::deque<SentCommand> sent_;               // The newest 64.
  std::deque<PendingDelete> pending_deletes_;  // At most 64.
  std::set<std::string> replayed_;             // Items that the client knows already.
  std::uint64_t seq_ = 0;
  std::uint64_t last_event_number_ = 0;
  std::uint64_t protocol_errors_ = 0;
  bool upstream_expired_ = false;
  bool awaits_reply_ = false;       // To the user's last turn.
  bool told_input_closed_ = false;  // Of audio: once, not with each frame.
};

}  // namespace voicebridge::worker

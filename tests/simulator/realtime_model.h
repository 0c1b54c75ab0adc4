// The Realtime API of one session, as a pure state machine.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulator/conversation_items.h"
#include "tests/simulator/endless_response.h"
#include "tests/simulator/event_sink.h"
#include "tests/simulator/id_source.h"
#include "tests/simulator/input_buffer.h"
#include "tests/simulator/interviewer.h"
#include "tests/simulator/journal.h"
#include "tests/simulator/refusal.h"
#include "tests/simulator/reply_script.h"
#include "tests/simulator/response_run.h"
#include "tests/simulator/session_config.h"
#include "tests/simulator/session_model.h"
#include "tests/simulator/transcription.h"
#include "tests/simulator/voice_activity.h"

namespace voicebridge::simulator {

struct ModelOptions {
  std::string session_id;
  std::string model;
  std::int64_t unix_now = 0;  // Seconds; only for expires_at.
  std::uint64_t id_seed = 0;
  std::uint64_t pacing_seed = 0;
  bool strict = false;  // Closes with 1008 at the first refusal.
  Duration session_length = hours(1);
  Duration response_latency = milliseconds(30);
  Duration transcription_delay = milliseconds(50);
  std::uint64_t audio_speed = 8;      // Speech is generated so much faster than it lasts.
  std::uint64_t interview_turns = 3;  // Of the user, until an interviewer ends; 0: never.
  ActiveFaults faults = {};
};

// Behaves as the live service was seen to behave, the order of events included. What the service
// would refuse is refused with its code, and counted in the record. Owned by one session; the
// record and the script outlive it.
class RealtimeModel final : public SessionModel {
 public:
  RealtimeModel(ModelOptions options, SessionRecord& record, ReplyScript& script, TimePoint now);

  Effects Start(TimePoint now) override;
  Effects HandleText(std::string_view message, TimePoint now) override;
  Effects HandleBinary(TimePoint now) override;
  Effects HandleSpeech(std::uint64_t token, std::string pcm, TimePoint now) override;
  Effects HandleTime(TimePoint now) override;
  std::optional<TimePoint> NextDeadline() const override;
  Effects BeginFlood() override;
  Effects FloodMore() override;

  void AddFault(const Fault& fault) override;

 private:
  using Refused = std::optional<Refusal>;
  using Handler = Refused (RealtimeModel::*)(const json::object&, TimePoint);
  using Runs = std::vector<std::unique_ptr<ResponseRun>>;

  static Handler HandlerOf(std::string_view type);
  Refused Judge(const json::object& event, TimePoint now);
  void Refuse(std::string_view type, const Refusal& refusal, const json::value& event_id);
  void CountRefusal(std::string_view type, const Refusal& refusal);

  Refused OnSessionUpdate(const json::object& event, TimePoint now);
  Refused OnSessionClose(const json::object& event, TimePoint now);
  Refused OnAppend(const json::object& event, TimePoint now);
  Refused OnCommit(const json::object& event, TimePoint now);
  Refused OnClear(const json::object& event, TimePoint now);
  Refused OnItemCreate(const json::object& event, TimePoint now);
  Refused OnItemRetrieve(const json::object& event, TimePoint now);
  Refused OnItemDelete(const json::object& event, TimePoint now);
  Refused OnItemTruncate(const json::object& event, TimePoint now);
  Refused OnResponseCreate(const json::object& event, TimePoint now);
  Refused OnResponseCancel(const json::object& event, TimePoint now);

  Refused CheckVoice(const json::object& settings, std::string_view path) const;
  Refused CheckUpdate(const json::object& session) const;
  void ApplyTurnDetection();
  void DetectSpeech(std::string_view pcm, TimePoint now);
  void OnSpeechStarted(std::uint64_t sample);
  void OnSpeechStopped(std::uint64_t sample, TimePoint now);
  void CommitAudio(std::string pcm, const std::string& item_id, std::string_view by, TimePoint now);
  void TranscribeLater(const Item& item, const ScriptedTranscript& script, TimePoint now);
  void AddItem(Item item, const std::optional<std::string>& previous);
  Refused CheckCallIds(const Item& item);
  bool TakePartAudio(Item& item, Refused& refusal);

  Refused StartResponse(const json::object& overrides, TimePoint now);
  Refused CollectInput(const json::object& overrides, std::vector<Item>& input);
  void AddReplyFaults(ReplyRequest& request);
  ResponseSettings SettingsOf(const json::object& overrides);
  std::vector<PlannedOutput> PlanOf(const json::object& overrides, const Item* newest, bool audio);
  std::string ActiveResponse() const;  // Of the default conversation; empty: none.
  ResponseRun* FindRun(std::string_view response_id);
  void SettleRuns(TimePoint now);
  void SendLater(TimePoint when, LaterEvent event) { later_.emplace(when, std::move(event)); }
  void SendDueEvents(TimePoint now);
  void ExpireIfDue(TimePoint now);

  ModelOptions options_;
  SessionRecord& record_;
  ReplyScript& script_;
  IdSource ids_;
  EventSink sink_;
  SessionConfig config_;
  std::string conversation_id_;
  ConversationItems items_;
  Interviewer interviewer_;
  InputBuffer input_;
  std::optional<VoiceActivity> voice_activity_;  // While turn_detection is on.
  std::string utterance_item_;                   // Announced by speech_started; empty: none.
  Runs runs_;
  std::uint64_t run_count_ = 0;
  std::uint64_t turn_ = 0;
  bool voice_locked_ = false;
  std::multimap<TimePoint, LaterEvent> later_;
  std::vector<LaterEvent> after_response_;  // Sent once a response is done.
  TimePoint expires_;
  bool expired_ = false;
  std::optional<EndlessResponse> flood_;
};

}  // namespace voicebridge::simulator

// What must hold in every interview, seen from outside: from the events that went in and the
// effects that came out.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>

#include "bridge_worker/conversation/conversation.h"
#include "bridge_worker/upstream/realtime_protocol.h"
#include "common/core/time.h"
#include "common/json/json.h"
#include "tests/unit/conversation/interview_world_upstream.h"

namespace voicebridge::worker {

// As the client and the operator can tell them apart. The summary is first waited with, then read
// by the second upstream or by the conversation's own.
enum class WorldPhase {
  kConnecting,
  kConfiguring,
  kListening,
  kAssessing,
  kFailed,
  kWaiting,
  kSecond,
  kMain,
  kEnded,   // The interview; the session goes on.
  kClosed,  // The session.
};
inline constexpr int kWorldPhases = 10;
std::string_view NameOf(WorldPhase phase);

struct WorldFacts {
  TimePoint now{};
  WorldPhase phase = WorldPhase::kConnecting;
  std::string problem;  // The first, with the broken invariant in front.

  void Problem(std::string_view invariant, std::string_view what);
  bool IsSummarising() const;
};

struct SeenEvent {
  const ConversationEvent& event;
  std::optional<UpstreamEvent> message;  // Of the second upstream if `second`.
  bool second = false;
};
struct SeenEffect {
  const Effect& effect;
  json::object body;  // Of what is JSON.
  std::string_view type;
};

bool IsSummaryRequest(const json::object& body);

// Invariants 5 and 6, and the gate in front of what the user says.
class ResponseWatch {
 public:
  ResponseWatch(WorldFacts& facts, const WorldUpstream& main, const WorldUpstream& second)
      : facts_(facts), main_(main), second_(second) {}

  void Before(const SeenEvent& seen);
  void See(const SeenEffect& seen);
  void AtTheEnd();
  bool IsQuiet() const;

 private:
  struct Requested {
    std::string event_id;
    TimePoint since;
  };
  struct Line {
    std::optional<Requested> in_flight;
    std::set<std::string> open;
    std::set<std::string> out_of_band;
    std::set<std::string> cancelled;
    bool heard = false;
  };

  void Arrived(Line& line, const WorldUpstream& upstream, const UpstreamEvent& event);
  void Sent(Line& line, const SeenEffect& seen);
  void CheckCreate(Line& line, const json::object& body);
  void CheckVoice(const json::object& body, std::string_view path);
  void CheckGate(const SeenEffect& seen);

  WorldFacts& facts_;
  const WorldUpstream& main_;
  const WorldUpstream& second_;
  Line main_line_;
  Line second_line_;
  bool configured_ = false;
  bool second_is_over_ = false;
  std::map<std::string, int> answers_;  // Of the client's creates.
  std::set<std::string> excused_;       // Cancelled before they began.
};

// Invariant 7.
class CallWatch {
 public:
  CallWatch(WorldFacts& facts, const WorldUpstream& main) : facts_(facts), main_(main) {}

  void Before(const SeenEvent& seen);
  void See(const SeenEffect& seen);
  void AtTheEnd();

 private:
  struct Seen {
    bool told = false;  // The worker has heard of it.
    int started = 0;
    int finished = 0;
    int answered = 0;
  };

  bool WantsFollowUp(const std::string& response_id) const;
  void CheckFollowUp(const std::string& event_id);

  WorldFacts& facts_;
  const WorldUpstream& main_;
  std::map<std::string, Seen> calls_;
  std::set<std::string> done_;
  std::set<std::string> followed_;  // Responses.
  std::set<std::string> follow_ups_;
};

// What the client is shown: in order, about things that it knows, and nothing of ours.
class ClientWatch {
 public:
  ClientWatch(WorldFacts& facts, const WorldUpstream& main) : facts_(facts), main_(main) {}

  void See(const SeenEffect& seen);
  const std::set<std::string>& told() const { return told_; }

 private:
  void CheckEvent(const SendClientEvent& sent, const json::object& body);
  void CheckError(const json::object& body);
  void CheckAudio(const v1::ServerAudio& audio);
  void CheckIds(const json::object& body, std::string_view type);
  void CheckId(std::string_view key, std::string_view id, std::string_view type);
  void Learn(const json::object& body, std::string_view type);
  void CheckSeq(std::uint64_t seq);

  WorldFacts& facts_;
  const WorldUpstream& main_;
  std::uint64_t seq_ = 0;
  std::set<std::string> told_;
  std::set<std::string> dropped_;
  std::map<std::string, std::uint64_t> positions_;
};

// Invariant 9, as far as the core goes; and the snapshot's copy.
class AssessmentWatch {
 public:
  explicit AssessmentWatch(WorldFacts& facts);

  void Before(const SeenEvent& seen);
  void See(const SeenEffect& seen);
  void After(const v1::ConversationSnapshot& snapshot);
  void AtTheEnd();
  // Whether something was left when the session ended.
  void GivenAway(bool something);

 private:
  void SeeStart(const StartAssessment& start);
  void SeeEvent(std::string_view type);
  void SeeDelta(const v1::SnapshotDelta& delta);
  void Keepalive();
  void EnterByEvent(std::string_view type);
  void Enter(const SeenEffect& seen);
  void CheckSummaryComesAfterReport(const SeenEffect& seen);

  WorldFacts& facts_;
  v1::ConversationSnapshot copy_;
  bool copy_changed_ = false;
  bool stored_ = false;  // The conversation knows that it is.
  bool announced_ = false;
  bool awaits_words_ = false;  // It was given away without its last words.
  bool submitted_ = false;     // And with them.
  int completed_ = 0;
  int opened_ = 0;
  std::string_view awaited_;  // The client event that the last update has to cause.
  TimePoint sign_of_life_{};
};

}  // namespace voicebridge::worker

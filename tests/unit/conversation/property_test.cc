// Random interleavings of client, upstream and time keep the conversation's invariants.
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <variant>

#include "bridge_worker/conversation/response_gate.h"
#include "bridge_worker/upstream/realtime_protocol.h"
#include "tests/unit/conversation/script.h"
#include "tests/unit/conversation/tiny_upstream.h"

namespace voicebridge::worker {
namespace {

constexpr unsigned kRuns = 20'000;

// One run. It watches the conversation from outside: it knows only what it delivered and what came
// back.
class World {
 public:
  explicit World(unsigned seed)
      : random_(seed),
        detects_turns_(seed % 3 == 0),
        upstream_(random_, detects_turns_),
        conversation_({"s", TestProfile(), ""}, now_) {
    copy_.set_session_id("s");
    copy_.set_profile("test");
    Deliver(R"({"type":"session.created"})");
    Deliver(R"({"type":"session.updated","session":)" +
            SessionJson(detects_turns_ ? kServerVad : "null") + "}");
    upstream_.inbox.clear();
  }

  // Empty: all went well.
  const std::string& Run() {
    const int steps = 10 + Roll(25);
    for (int i = 0; i < steps && problem_.empty(); ++i) {
      Step();
    }
    Settle();
    CheckTheEnd();
    return problem_;
  }

 private:
  int Roll(int sides) { return static_cast<int>(random_() % static_cast<unsigned>(sides)); }

  void Problem(std::string what) {
    if (problem_.empty()) {
      problem_ = std::move(what);
    }
  }

  void Step() {
    switch (Roll(10)) {
      case 0:
      case 1:
      case 2:
        return ActAsClient();
      case 3:
      case 4:
        return upstream_.inbox.empty() ? ActAsClient() : upstream_.TakeCommand();
      case 5:
      case 6:
      case 7:
        return DeliverNext();
      case 8:
        return Roll(4) == 0 ? upstream_.Hear() : upstream_.Speak();
      default:
        return Wait(milliseconds(Roll(20)));
    }
  }

  void ActAsClient() {
    switch (Roll(9)) {
      case 0:
      case 1:
        return Create();
      case 2:
        return Commit();
      case 3:
        return CancelSomething();
      case 4:
        return ChangeVoice();
      case 5:
      case 6:
        return TruncateSomething();
      default:
        Handle(ClientAudioReceived{std::string(static_cast<std::size_t>(Roll(6000)) * 2, 'a'), 0});
    }
  }

  void Create() {
    const std::string id = fmt::format("create_{}", ++last_id_);
    answers_[id] = 0;
    Client("response.create", fmt::format(R"({{"type":"response.create","event_id":"{}"}})", id));
  }

  void Commit() {
    const std::string id = fmt::format("commit_{}", ++last_id_);
    answers_[id] = 0;
    commits_ += 1;
    Client("input_audio_buffer.commit",
           fmt::format(R"({{"type":"input_audio_buffer.commit","event_id":"{}"}})", id));
  }

  void CancelSomething() {
    if (in_flight_) {
      cancelled_.insert(
          *in_flight_);  // Whether it will be created is open: no answer is right too.
    }
    const std::string id = Roll(2) == 0 ? fmt::format(R"(,"response_id":"resp_{}")", Roll(4)) : "";
    Client("response.cancel", fmt::format(R"({{"type":"response.cancel"{}}})", id));
  }

  void ChangeVoice() {
    if (Roll(4) == 0) {
      return Client("session.update",
                    R"({"type":"session.update","session":{"type":"realtime","temperature":1}})");
    }
    static constexpr std::string_view kVoices[] = {"marin", "ash", "cedar"};
    Client("session.update",
           fmt::format(R"({{"type":"session.update","session":{{"type":"realtime",)"
                       R"("audio":{{"output":{{"voice":"{}"}}}}}}}})",
                       kVoices[Roll(3)]));
  }

  void TruncateSomething() {
    Client("conversation.item.truncate",
           fmt::format(R"({{"type":"conversation.item.truncate","item_id":"item_{}",)"
                       R"("content_index":0,"audio_end_ms":{}}})",
                       Roll(5), Roll(3) == 0 ? 0 : Roll(120)));
  }

  void Client(std::string_view type, const std::string& json) {
    Handle(ClientEventReceived{type, json});
  }

  void Wait(Duration duration) {
    now_ += duration;
    Handle(TimePassed{});
  }

  void DeliverNext() {
    if (upstream_.outbox.empty()) {
      return;
    }
    const std::string text = std::move(upstream_.outbox.front());
    upstream_.outbox.pop_front();
    Deliver(text);
  }

  // What the conversation may know from here on.
  void Deliver(const std::string& text) {
    const auto event = ParseUpstreamEvent(text).value();
    if (event.type == UpstreamEventType::kResponseCreated) {
      open_.insert(event.response_id);
      const std::string& request = upstream_.create_of_response[event.response_id];
      if (!request.empty()) {
        in_flight_.reset();
        ++answers_[request];
      }
    } else if (event.type == UpstreamEventType::kResponseDone) {
      open_.erase(event.response_id);
    } else if (event.type == UpstreamEventType::kAudioDelta) {
      audio_heard_ = true;
    } else if (event.type == UpstreamEventType::kInputCommitted) {
      ++committed_;
    } else if (event.type == UpstreamEventType::kSpeechStarted) {
      --committed_;  // Its committed event answers no commit of the client.
    } else if (event.type == UpstreamEventType::kError &&
               ErrorOf(event.body).event_id == in_flight_) {
      in_flight_.reset();
    }
    Handle(UpstreamMessage{text});
  }

  void Handle(ConversationEvent event) {
    effects_.clear();
    conversation_.Handle(std::move(event), now_, effects_);
    for (const Effect& effect : effects_) {
      std::visit([this](const auto& one) { Observe(one); }, effect);
    }
  }

  void Observe(const SendUpstream& sent) {
    const json::object body = ParseObject(sent.json).value();
    const std::string_view type = StringOr(body, "type");
    if (type == "response.create") {
      if (in_flight_ || !open_.empty()) {
        Problem("a second create in flight: " + sent.json);
      }
      in_flight_ = std::string(StringOr(body, "event_id"));
      ++tries_[*in_flight_];
    } else if (type == "response.cancel") {
      const std::string id(StringOr(body, "response_id"));
      if (open_.count(id) == 0 || !cancels_.insert(id).second) {
        Problem("a cancel of what is not open: " + sent.json);
      }
    } else if (type == "session.update" &&
               FindPath(body, "session.audio.output.voice") != nullptr && configured_ &&
               (audio_heard_ || in_flight_ || !open_.empty())) {
      Problem("a voice update too late: " + sent.json);
    }
    configured_ = true;
    upstream_.inbox.push_back(sent.json);
  }

  void Observe(const SendClientEvent& sent) {
    CheckSeq(sent.event.seq());
    if (sent.event.type() != "error") {
      return;
    }
    const ProtocolError error = ErrorOf(ParseObject(sent.event.json()).value());
    if (error.event_id.starts_with("vb_")) {
      Problem("an event id of ours was shown: " + sent.event.json());
    }
    if (error.code == "cannot_update_voice" || error.code == "response_cancel_not_active") {
      Problem("a benign error was shown: " + sent.event.json());
    }
    if (error.code == "conversation_already_has_active_response" && error.message == "m" &&
        tries_[error.event_id] < ResponseGate::kTriesMax) {
      Problem("a collision was shown that could be settled: " + error.event_id);
    }
    const auto answered = answers_.find(error.event_id);
    if (answered != answers_.end()) {
      ++answered->second;
    }
    if (error.event_id == in_flight_) {
      in_flight_.reset();  // Its time is over.
    }
  }

  void Observe(const SendClientAudio& sent) {
    CheckSeq(sent.audio.seq());
    std::uint64_t& position = positions_[sent.audio.item_id()];
    if (sent.audio.first_sample() != position || sent.audio.pcm().size() % 2 != 0) {
      Problem("audio with a gap in item " + sent.audio.item_id());
    }
    position += sent.audio.pcm().size() / 2;
    if (dropped_.count(sent.audio.response_id()) > 0) {
      Problem("audio of a response after it was dropped");
    }
  }

  void Observe(const DropQueuedAudio& drop) { dropped_.insert(drop.response_id); }

  void Observe(const PublishSnapshotDelta& published) {
    if (!ApplyDelta(published.delta, copy_)) {
      Problem("a delta of another version");
    }
    if (published.delta.covers_seq() != seq_) {
      Problem("a delta that does not cover the last frame");
    }
  }

  void Observe(const AcceptAudio& accepted) {
    if (accepted.committed_through_sample != copy_.committed_through_sample()) {
      Problem("audio was accepted before the snapshot had it");
    }
  }

  void Observe(const SendUpstreamAudio&) {}
  void Observe(const BecomeReady&) {}
  void Observe(const ReportTrouble&) {}
  // What only profiles with tools or an assessment want.
  template <class Other>
  void Observe(const Other&) {
    Problem("the worker did something that this profile does not ask for");
  }
  void Observe(const EndSession& end) { Problem("the session ended: " + end.message); }

  void CheckSeq(std::uint64_t seq) {
    if (seq != ++seq_) {
      Problem("a gap in seq");
    }
  }

  // Everything arrives, every response ends, every timer fires.
  void Settle() {
    for (int round = 0; round < 2000 && problem_.empty(); ++round) {
      if (!upstream_.outbox.empty()) {
        DeliverNext();
      } else if (!upstream_.inbox.empty()) {
        upstream_.TakeCommand();
      } else if (upstream_.IsSpeaking()) {
        upstream_.Speak();
      } else if (in_flight_) {
        Wait(seconds(10));
      } else {
        return;
      }
    }
  }

  void CheckTheEnd() {
    if (!problem_.empty()) {
      return;
    }
    int commits_refused = 0;
    for (const auto& [id, times] : answers_) {
      if (id.starts_with("commit_")) {
        commits_refused += times;
      } else if (times != 1 && !(times == 0 && cancelled_.count(id) > 0)) {
        Problem(fmt::format("{} was answered {} times", id, times));
      }
    }
    if (committed_ + commits_refused != commits_) {
      Problem(fmt::format("{} commits, {} committed, {} refused", commits_, committed_,
                          commits_refused));
    }
    if (upstream_.truncates_refused > 0) {
      Problem("a truncate or delete that the upstream had to refuse");
    }
    if (copy_.SerializeAsString() != conversation_.snapshot().SerializeAsString()) {
      Problem("the snapshot is not what its deltas say");
    }
  }

  std::mt19937 random_;
  const bool detects_turns_;
  TimePoint now_{};
  TinyUpstream upstream_;
  Conversation conversation_;
  Effects effects_;
  v1::ConversationSnapshot copy_;
  std::string problem_;

  int last_id_ = 0;
  int commits_ = 0;
  int committed_ = 0;
  bool configured_ = false;
  bool audio_heard_ = false;
  std::uint64_t seq_ = 0;
  std::optional<std::string> in_flight_;  // A create without created, error or timeout.
  std::set<std::string> open_;            // Responses between created and done.
  std::set<std::string> cancels_;
  std::set<std::string> cancelled_;  // Creates that the client cancelled before they began.
  std::set<std::string> dropped_;
  std::map<std::string, int> answers_;
  std::map<std::string, int> tries_;
  std::map<std::string, std::uint64_t> positions_;
};

TEST(ConversationProperty, InvariantsHoldUnderAnyInterleaving) {
  for (unsigned seed = 1; seed <= kRuns; ++seed) {
    World world(seed);
    const std::string problem = world.Run();
    ASSERT_EQ(problem, "") << "seed " << seed;
  }
}

}  // namespace
}  // namespace voicebridge::worker

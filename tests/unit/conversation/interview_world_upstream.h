// A Realtime upstream for random interviews: it speaks, calls tools, hears and transcribes, and
// refuses what OpenAI refuses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/json/json.h"

namespace voicebridge::worker {

// Commands wait in `inbox` until it takes them, events in `outbox` until the world delivers them:
// each crossing of the two is a race that can happen.
class WorldUpstream {
 public:
  struct Call {
    std::string call_id;
    std::string item_id;
    std::string response_id;
    std::string name;
    bool complete = true;  // Else it was interrupted, and must not be carried out.
  };

  // `second`: it only reads a summary aloud.
  WorldUpstream(std::mt19937& random, bool second) : random_(random), second_(second) {}

  std::deque<std::string> inbox;
  std::deque<std::string> outbox;
  std::map<std::string, std::string> create_of_response;
  std::vector<Call> calls;
  std::string refused;  // The first command that nobody may send.

  bool IsSpeaking() const { return active_.has_value(); }
  bool IsTranscribing() const { return !untranscribed_.empty(); }
  const Call* CallOf(std::string_view call_id) const;

  void Connect();
  void TakeCommand();
  void TakeAudio(std::size_t samples) { unheard_ += samples; }

  void Speak();       // The active response goes one step on.
  void Hear();        // Voice activity: interrupts, commits and answers.
  void Transcribe();  // What was said first, or last; or it fails.
  void Chat();        // What means nothing to the worker, or nothing at all.
  void Complain();    // An error that nobody caused.

 private:
  struct Response {
    std::string id;
    bool tools = true;
    int outputs = 0;
    std::string item;               // The message that is being spoken.
    std::vector<std::string> done;  // Items for response.done.
  };

  int Roll(int sides) { return static_cast<int>(random_() % static_cast<unsigned>(sides)); }
  std::string NextItem() { return "item_" + std::to_string(++items_); }
  std::string Previous() const { return last_item_.empty() ? "null" : '"' + last_item_ + '"'; }
  void Refuse(const std::string& event_id, std::string_view code);
  void RefuseForGood(const json::object& body, std::string_view code);

  void UpdateSession(const json::object& body, const std::string& id);
  void Create(const json::object& body, const std::string& id);
  void AnswerOutOfBand(const std::string& event_id);
  void Open(const std::string& event_id, bool tools);
  void Cancel(const json::object& body, const std::string& id);
  void Truncate(const json::object& body, const std::string& id);
  void Delete(const json::object& body, const std::string& id);
  void Commit(const std::string& id);
  void CreateItem(const json::object& body, const std::string& id);

  void BeginMessage();
  void SayMore();
  void EndMessage(std::string_view status);
  void MakeCall();
  void AnnounceCall(const Call& call, const std::string& arguments);
  void AnnounceClientCall(const Call& call);
  void InterruptCall(const Call& call);
  void Finish(std::string_view status);
  void EmitCommitted(const std::string& item);
  void AddItem(const std::string& id, const std::string& json);

  std::mt19937& random_;
  const bool second_;
  std::optional<Response> active_;
  std::map<std::string, std::uint64_t> generated_;  // Bytes by item; less after a truncate.
  std::set<std::string> item_ids_;
  std::set<std::string> call_ids_;
  std::deque<std::string> untranscribed_;
  std::string last_item_;
  std::string voice_ = "marin";
  std::string instructions_;
  std::string turn_detection_ = "null";
  bool audio_heard_ = false;
  std::size_t unheard_ = 0;
  int items_ = 0;
  int responses_ = 0;
};

}  // namespace voicebridge::worker

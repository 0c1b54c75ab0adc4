// What the simulator was sent, refused and said; the evidence of tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/json/json.h"
#include "tests/simulator/digest.h"
#include "tests/simulator/refusal.h"

namespace voicebridge::simulator {

struct RefusalRecord {
  std::string type;  // Of the offending event.
  std::string code;
  std::string message;
};

struct UserItemRecord {
  std::string item_id;
  std::size_t bytes = 0;
  std::string sha256;
  std::string transcript;
  std::string by;  // client or vad.
};

// Made by conversation.item.create.
struct ClientItemRecord {
  std::string item_id;
  std::string type;
  std::string role;
  std::string name;  // Like the next, of calls and their outputs.
  std::string call_id;
  std::string text;  // Also arguments, or an output.
};

struct OutputItemRecord {
  std::string item_id;
  std::string type;
  std::string text;  // Of a call: its arguments.
  std::string name;  // Like the next, of calls.
  std::string call_id;
  std::size_t audio_bytes = 0;  // Sent in deltas; so is the digest.
  std::optional<Digest> audio;
  std::size_t generated_bytes = 0;
  std::optional<std::uint64_t> truncated_at_ms;
  bool deleted = false;
};

struct ResponseRecord {
  std::string id;
  std::string status = "in_progress";
  std::string reason;
  json::object request;  // What response.create asked for; empty: nothing in particular.
  std::deque<OutputItemRecord> items;
};

// One connection. Written by its session, read by the journal, on one thread. Each list keeps its
// newest entries only.
class SessionRecord {
 public:
  std::string id;
  std::int64_t connected_at_ms = 0;  // Unix time.
  bool open = true;
  std::uint16_t close_code = 0;
  std::string model;
  std::string user_agent;
  std::string key_sha256;  // Empty: no key was sent.
  json::array faults;      // In force, as "NAME[:ARG]".

  void CountReceived(std::string_view type) { Count(received_, type); }
  void CountSent(std::string_view type) { Count(sent_, type); }
  void AddRefusal(std::string_view type, const Refusal& refusal);
  void AddAppendedAudio(std::string_view pcm);
  void CountAppendedBytes(std::size_t bytes) { appended_bytes_ += bytes; }  // Without the digest.
  void AddUserItem(UserItemRecord item);
  void AddClientItem(const json::object& item, std::string_view text);
  void AddSessionUpdate(json::object effective);
  // Both are null once the entry fell out of the list or was forgotten.
  ResponseRecord* AddResponse(std::string response_id);
  ResponseRecord* FindResponse(std::string_view response_id);
  OutputItemRecord* FindOutput(std::string_view item_id);

  std::uint64_t refused() const { return refused_; }
  // All that has happened so far.
  void Forget();
  json::object ToJson() const;

 private:
  using Counts = std::map<std::string, std::uint64_t, std::less<>>;
  static void Count(Counts& counts, std::string_view type);

  Counts received_;
  Counts sent_;
  std::uint64_t refused_ = 0;
  std::deque<RefusalRecord> refusals_;
  std::uint64_t appended_bytes_ = 0;
  std::optional<Digest> appended_;
  std::deque<UserItemRecord> user_items_;
  std::deque<ClientItemRecord> client_items_;
  std::deque<ResponseRecord> responses_;
  std::deque<json::object> updates_;
};

// One call of the Responses API.
struct CallRecord {
  std::int64_t at_ms = 0;  // Unix time.
  std::string key_sha256;  // Empty: no key was sent.
  std::string model;
  bool stream = false;
  std::string format;  // The name of the JSON schema.
  std::size_t input_bytes = 0;
  std::string prompt;   // What tells calls about the same thing from others.
  std::string input;    // The first 64 KiB of text.
  unsigned status = 0;  // As it was answered; 0: not at all so far.
  std::string refusal;  // The code.
  std::string text;     // What was written.
  json::array faults;
};

// Keeps the last 2000 sessions and 500 calls. Owned by the service.
class Journal {
 public:
  // Shared with the session, which outlives its entry when newer sessions push it out.
  std::shared_ptr<SessionRecord> Open();

  // Shared with the call, which may outlive its entry.
  std::shared_ptr<CallRecord> OpenCall();
  // Of those that are told apart, the first 10,000.
  void CountPrompt(const std::string& prompt);

  // All sessions, or the one named, and all calls.
  json::object ToJson(std::optional<std::string_view> session) const;

  // Closed sessions go, open ones start anew.
  void Forget();

 private:
  std::deque<std::shared_ptr<SessionRecord>> sessions_;
  std::deque<std::shared_ptr<CallRecord>> calls_;
  std::uint64_t calls_count_ = 0;
  std::map<std::string, std::uint64_t> prompts_;
  std::uint64_t refused_before_ = 0;  // In entries that were pushed out.
};

}  // namespace voicebridge::simulator

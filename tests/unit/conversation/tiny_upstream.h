// A tiny Realtime upstream for random tests: it refuses what OpenAI refuses, and remembers why.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "common/core/base64.h"
#include "common/json/json.h"

namespace voicebridge::worker {

// Commands wait in `inbox` until it takes them, events in `outbox` until the test delivers them:
// each crossing of the two is a race that can happen.
class TinyUpstream {
 public:
  TinyUpstream(std::mt19937& random, bool detects_turns) : random_(random), vad_(detects_turns) {}

  std::deque<std::string> inbox;
  std::deque<std::string> outbox;
  std::map<std::string, std::string> create_of_response;  // Ours: response id to event id.
  int truncates_refused = 0;
  int voices_refused = 0;

  bool IsSpeaking() const { return active_.has_value(); }

  void TakeCommand() {
    const std::string text = std::move(inbox.front());
    inbox.pop_front();
    const json::object body = ParseObject(text).value();
    const std::string_view type = StringOr(body, "type");
    const std::string id(StringOr(body, "event_id"));
    if (type == "session.update") {
      UpdateSession(body, id);
    } else if (type == "response.create") {
      Create(id);
    } else if (type == "response.cancel") {
      Cancel(StringOr(body, "response_id"), id);
    } else if (type == "conversation.item.truncate") {
      Truncate(body, id);
    } else if (type == "conversation.item.delete") {
      Delete(std::string(StringOr(body, "item_id")), id);
    } else if (type == "input_audio_buffer.commit") {
      Commit(id);
    }
  }

  // The active response goes one step on: an item, audio, or its end.
  void Speak() {
    if (!active_) {
      return;
    }
    const int what = Roll(5);
    if (active_->item.empty() && what > 0) {
      active_->item = fmt::format("item_{}", ++items_);
      generated_[active_->item] = 0;
      Emit(R"({{"type":"conversation.item.added","previous_item_id":null,"item":{{"id":"{}",)"
           R"("type":"message","role":"assistant","status":"in_progress","content":[]}}}})",
           active_->item);
    } else if (what > 1) {
      EmitAudio(static_cast<std::size_t>(Roll(2000)));
    } else {
      Finish("completed");
    }
  }

  // Someone talks: voice activity interrupts, commits and answers.
  void Hear() {
    if (!vad_) {
      return;
    }
    const std::string user = fmt::format("item_{}", ++items_);
    Emit(R"({{"type":"input_audio_buffer.speech_started","item_id":"{}"}})", user);
    if (active_) {
      Finish("cancelled");
    }
    Emit(R"({{"type":"input_audio_buffer.speech_stopped","item_id":"{}","audio_end_ms":1}})", user);
    EmitCommitted(user);
    Open("");
  }

 private:
  struct Response {
    std::string id;
    std::string item;
  };

  int Roll(int sides) { return static_cast<int>(random_() % static_cast<unsigned>(sides)); }

  template <class... Args>
  void Emit(fmt::format_string<Args...> format, Args&&... args) {
    outbox.push_back(fmt::format(format, std::forward<Args>(args)...));
  }

  void Refuse(const std::string& event_id, std::string_view code) {
    Emit(R"({{"type":"error","event_id":"e","error":{{"type":"invalid_request_error","code":"{}",)"
         R"("message":"m","param":null,"event_id":"{}"}}}})",
         code, event_id);
  }

  void UpdateSession(const json::object& body, const std::string& id) {
    if (FindPath(body, "session.temperature") != nullptr) {
      return Refuse(id, "unknown_parameter");
    }
    const json::value* voice = FindPath(body, "session.audio.output.voice");
    if (voice != nullptr && View(voice->as_string()) != voice_) {
      if (audio_heard_) {
        ++voices_refused;
        return Refuse(id, "cannot_update_voice");
      }
      voice_ = View(voice->as_string());
    }
    if (const json::value* instructions = FindPath(body, "session.instructions")) {
      instructions_ = View(instructions->as_string());
    }
    const json::value instructions(instructions_.c_str());
    Emit(
        R"({{"type":"session.updated","session":{{"type":"realtime","model":"m","instructions":{},)"
        R"("audio":{{"input":{{"turn_detection":{}}},"output":{{"voice":"{}"}}}}}}}})",
        json::serialize(instructions), vad_ ? R"({"type":"server_vad"})" : "null", voice_);
  }

  void Create(const std::string& id) {
    if (active_) {
      return Refuse(id, "conversation_already_has_active_response");
    }
    switch (Roll(12)) {
      case 0:
        return Refuse(id, "rate_limit_exceeded");
      case 1:
        return;  // Lost: it will never be answered.
      default:
        return Open(id);
    }
  }

  void Open(const std::string& event_id) {
    active_ = Response{fmt::format("resp_{}", ++responses_), ""};
    create_of_response[active_->id] = event_id;
    Emit(R"({{"type":"response.created","response":{{"id":"{}","conversation_id":"c"}}}})",
         active_->id);
  }

  void Finish(std::string_view status) {
    if (!active_->item.empty()) {
      Emit(R"({{"type":"conversation.item.done","previous_item_id":null,"item":{{"id":"{}",)"
           R"("type":"message","role":"assistant","status":"completed",)"
           R"("content":[{{"type":"output_audio","transcript":"one two three"}}]}}}})",
           active_->item);
    }
    Emit(R"({{"type":"response.done","response":{{"id":"{}","status":"{}","output":[]}}}})",
         active_->id, status);
    active_.reset();
  }

  void EmitAudio(std::size_t bytes) {
    audio_heard_ = true;
    generated_bytes_[active_->item] += bytes;
    generated_[active_->item] = generated_bytes_[active_->item] / 48;
    std::string delta;
    AppendBase64(std::string(bytes, 'x'), delta);
    Emit(
        R"({{"type":"response.output_audio.delta","event_id":"e","response_id":"{}","item_id":"{}",)"
        R"("delta":"{}"}})",
        active_->id, active_->item, delta);
  }

  void Cancel(std::string_view response_id, const std::string& id) {
    if (!active_ || active_->id != response_id) {
      return Refuse(id, "response_cancel_not_active");
    }
    Finish("cancelled");
  }

  void Truncate(const json::object& body, const std::string& id) {
    const std::string item(StringOr(body, "item_id"));
    const auto end = static_cast<std::uint64_t>(FindInteger(body, "audio_end_ms").value_or(-1));
    const auto known = generated_.find(item);
    if (known == generated_.end() || end == 0 || end > known->second) {
      ++truncates_refused;
      return Refuse(id, "invalid_value");
    }
    known->second = end;
    Emit(R"({{"type":"conversation.item.truncated","item_id":"{}","content_index":0,)"
         R"("audio_end_ms":{}}})",
         item, end);
  }

  void Delete(const std::string& item, const std::string& id) {
    if (generated_.erase(item) == 0) {
      ++truncates_refused;
      return Refuse(id, "item_delete_invalid_item_id");
    }
    Emit(R"({{"type":"conversation.item.deleted","item_id":"{}"}})", item);
  }

  void Commit(const std::string& id) {
    if (vad_ && Roll(3) == 0) {
      return Refuse(id, "input_audio_buffer_commit_empty");
    }
    EmitCommitted(fmt::format("item_{}", ++items_));
  }

  void EmitCommitted(const std::string& item) {
    Emit(R"({{"type":"input_audio_buffer.committed","item_id":"{}","previous_item_id":null}})",
         item);
    Emit(R"({{"type":"conversation.item.added","previous_item_id":null,"item":{{"id":"{}",)"
         R"("type":"message","role":"user","content":[{{"type":"input_audio"}}]}}}})",
         item);
  }

  std::mt19937& random_;
  const bool vad_;
  std::optional<Response> active_;
  std::map<std::string, std::uint64_t> generated_;  // Milliseconds by item; less after a truncate.
  std::map<std::string, std::uint64_t> generated_bytes_;
  std::string voice_ = "marin";
  std::string instructions_;
  bool audio_heard_ = false;
  int items_ = 0;
  int responses_ = 0;
};

}  // namespace voicebridge::worker

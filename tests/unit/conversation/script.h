// A conversation under test, with everything that it wanted done so far.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "bridge_worker/conversation/conversation.h"
#include "common/core/base64.h"
#include "common/core/limits.h"
#include "common/core/snapshot.h"
#include "common/json/json.h"

namespace voicebridge::worker {

inline v1::Profile TestProfile() {
  v1::Profile profile;
  profile.set_name("test");
  profile.set_model("gpt-realtime-2.1");
  profile.set_instructions("Be kind.");
  profile.set_voice("marin");
  profile.mutable_transcription()->set_model("gpt-4o-mini-transcribe");
  return profile;
}

inline constexpr std::string_view kServerVad =
    R"({"type":"server_vad","create_response":true,"interrupt_response":true})";

// The session object as a session.updated would carry it.
inline std::string SessionJson(std::string_view turn_detection = "null",
                               std::string_view instructions = "Be kind.",
                               std::string_view voice = "marin") {
  return fmt::format(
      R"({{"type":"realtime","object":"realtime.session","id":"sess_1","model":"gpt-realtime-2.1",)"
      R"("instructions":"{}","audio":{{"input":{{"transcription":{{"model":"t"}},)"
      R"("turn_detection":{}}},"output":{{"voice":"{}"}}}}}})",
      instructions, turn_detection, voice);
}

// Feeds a Conversation. `copy` is brought up to date with the published deltas, as the gateway does
// it.
class Script {
 public:
  explicit Script(v1::Profile profile = TestProfile(), std::string initial = "")
      : conversation_({"vb_session", std::move(profile), std::move(initial)}, now_) {
    copy_.set_session_id("vb_session");
    copy_.set_profile("test");
  }

  // Through the handshake; the effects of it are forgotten.
  Script& Start(std::string_view turn_detection = "null") {
    Upstream(R"({"type":"session.created","session":{}})");
    Upstream(R"({"type":"session.updated","session":)" + SessionJson(turn_detection) + "}");
    effects_.clear();
    return *this;
  }

  void Upstream(std::string_view text) { Handle(UpstreamMessage{text}); }
  void UpstreamCloses(std::uint16_t code) { Handle(UpstreamClosed{code, "secret reason"}); }
  void Client(std::string_view json) {
    const auto body = ParseObject(json);
    type_ = body.ok() ? std::string(StringOr(*body, "type")) : "response.create";
    Handle(ClientEventReceived{type_, json});
  }
  void ClientAudio(std::uint64_t samples) {
    Handle(ClientAudioReceived{std::string(samples * 2, 'a'), position_});
    position_ += samples;
  }
  void Wait(Duration duration) {
    now_ += duration;
    Handle(TimePassed{});
  }

  void Created(std::string_view id) {
    Upstream(fmt::format(
        R"({{"type":"response.created","response":{{"id":"{}","conversation_id":"c"}}}})", id));
  }
  void Done(std::string_view id) {
    Upstream(fmt::format(
        R"({{"type":"response.done","response":{{"id":"{}","status":"completed","output":[]}}}})",
        id));
  }
  void Added(std::string_view previous, std::string_view item) {
    Upstream(fmt::format(R"({{"type":"conversation.item.added","previous_item_id":{},"item":{}}})",
                         previous, item));
  }
  void ItemDone(std::string_view item) {
    Upstream(fmt::format(R"({{"type":"conversation.item.done","previous_item_id":null,"item":{}}})",
                         item));
  }
  void Audio(std::string_view response, std::string_view item, const std::string& bytes) {
    std::string delta;
    AppendBase64(bytes, delta);
    Upstream(
        fmt::format(R"({{"type":"response.output_audio.delta","event_id":"ev","response_id":"{}",)"
                    R"("item_id":"{}","output_index":1,"content_index":2,"delta":"{}"}})",
                    response, item, delta));
  }
  // An assistant item of an open response, with this much audio.
  void Speak(std::string_view response, std::string_view item, std::uint64_t samples) {
    Created(response);
    Added("null", fmt::format(R"({{"id":"{}","type":"message","role":"assistant",)"
                              R"("status":"in_progress","content":[]}})",
                              item));
    Audio(response, item, std::string(samples * 2, 's'));
  }
  void Fails(std::string_view event_id, std::string_view code) {
    Upstream(fmt::format(
        R"({{"type":"error","event_id":"ev","error":{{"type":"invalid_request_error","code":"{}",)"
        R"("message":"m sk-secret","param":null,"event_id":{}}}}})",
        code, event_id.empty() ? "null" : fmt::format("\"{}\"", event_id)));
  }

  std::optional<Duration> TakeAnswerDelay() { return conversation_.TakeAnswerDelay(); }

  template <class E>
  std::vector<E> All() const {
    std::vector<E> all;
    for (const Effect& effect : effects_) {
      if (const E* one = std::get_if<E>(&effect)) {
        all.push_back(*one);
      }
    }
    return all;
  }
  // What went up, one JSON text per line.
  std::vector<std::string> Sent() const {
    std::vector<std::string> sent;
    for (const SendUpstream& effect : All<SendUpstream>()) {
      sent.push_back(effect.json);
    }
    return sent;
  }
  // The types of what went up or to the client.
  std::string SentTypes() const { return Join(Sent()); }
  std::string ClientTypes() const {
    std::string types;
    for (const SendClientEvent& effect : All<SendClientEvent>()) {
      types += (types.empty() ? "" : " ") + effect.event.type();
    }
    return types;
  }
  // A member of the last event of that kind, as JSON text.
  std::string LastSent(std::string_view path) const { return Member(Sent().back(), path); }
  std::string LastToClient(std::string_view path) const {
    return Member(All<SendClientEvent>().back().event.json(), path);
  }
  std::string Order() const {
    std::string ids;
    for (const v1::ConversationItem& item : conversation_.snapshot().items()) {
      ids += (ids.empty() ? "" : " ") + item.id();
    }
    return ids;
  }
  const v1::ConversationItem& Item(int index) const {
    return conversation_.snapshot().items(index);
  }

  static std::string Member(std::string_view json, std::string_view path) {
    const auto body = ParseObject(json);
    const json::value* value = body.ok() ? FindPath(*body, path) : nullptr;
    if (value == nullptr) {
      return "absent";
    }
    return value->is_string() ? std::string(View(value->get_string())) : json::serialize(*value);
  }

  Conversation& conversation() { return conversation_; }
  const v1::ConversationSnapshot& copy() const { return copy_; }
  bool copy_is_complete() const { return copy_is_complete_; }
  const Effects& effects() const { return effects_; }
  void Forget() { effects_.clear(); }
  TimePoint now() const { return now_; }
  void Advance(Duration duration) { now_ += duration; }
  void Handle(ConversationEvent event) {
    const std::size_t first = effects_.size();
    conversation_.Handle(std::move(event), now_, effects_);
    for (std::size_t i = first; i < effects_.size(); ++i) {
      if (const auto* delta = std::get_if<PublishSnapshotDelta>(&effects_[i])) {
        copy_is_complete_ = ApplyDelta(delta->delta, copy_) && copy_is_complete_;
        CondenseTo(limits::kSnapshotMax, copy_);
      }
    }
  }

 private:
  static std::string Join(const std::vector<std::string>& events) {
    std::string types;
    for (const std::string& event : events) {
      types += (types.empty() ? "" : " ") + Member(event, "type");
    }
    return types;
  }

  TimePoint now_{};
  Conversation conversation_;
  Effects effects_;
  v1::ConversationSnapshot copy_;
  bool copy_is_complete_ = true;
  std::string type_;
  std::uint64_t position_ = 0;
};

}  // namespace voicebridge::worker

// A RealtimeModel in virtual time, with a synthesizer of constant length.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/core/audio.h"
#include "common/core/base64.h"
#include "common/json/json.h"
#include "tests/simulator/realtime_model.h"

namespace voicebridge::simulator {

inline constexpr std::string_view kCreate = R"({"type":"response.create"})";
inline constexpr std::string_view kCommit = R"({"type":"input_audio_buffer.commit"})";

inline std::string Pcm(std::uint64_t milliseconds_long, double amplitude = 0) {
  std::string pcm;
  for (std::uint64_t index = 0; index < SamplesOfMilliseconds(milliseconds_long); ++index) {
    const auto sample =
        static_cast<std::int16_t>(amplitude * 32767 * std::sin(static_cast<double>(index) * 0.05));
    pcm += static_cast<char>(sample & 0xFF);
    pcm += static_cast<char>(sample >> 8);
  }
  return pcm;
}

inline std::string Voice(std::uint64_t milliseconds_long) { return Pcm(milliseconds_long, 0.3); }

struct SentEvent {
  Duration at;
  std::string type;
  json::object event;
};

class ModelSession {
 public:
  explicit ModelSession(ModelOptions options = {})
      : model_(Complete(std::move(options)), record, script, now_) {
    Take(model_.Start(now_));
  }

  // "NAME[:ARG]", or the JSON of POST /faults.
  void Misbehave(std::string_view fault) {
    model_.AddFault(fault.starts_with('{') ? *ParseFault(*ParseObject(fault)) : *ParseFault(fault));
  }
  void Send(std::string_view text) { Take(model_.HandleText(text, now_)); }
  void SendBinary() { Take(model_.HandleBinary(now_)); }
  void Append(std::string_view pcm) {
    std::string text = R"({"type":"input_audio_buffer.append","audio":")";
    AppendBase64(pcm, text);
    Send(text + "\"}");
  }
  void UsePushToTalk() {
    Send(R"({"type":"session.update","session":{"type":"realtime",
             "audio":{"input":{"turn_detection":null}}}})");
  }
  void Say(std::string_view text) {
    Send(R"({"type":"conversation.item.create","item":{"type":"message","role":"user",
             "content":[{"type":"input_text","text":")" +
         std::string(text) + "\"}]}}");
  }

  // Steps through every deadline of the model.
  void Advance(Duration step) {
    const TimePoint end = now_ + step;
    for (auto next = model_.NextDeadline(); next && *next <= end; next = model_.NextDeadline()) {
      now_ = std::max(now_, *next);
      Take(model_.HandleTime(now_));
    }
    now_ = end;
  }

  std::vector<std::string> Types() const {
    std::vector<std::string> types;
    for (const SentEvent& sent : events) {
      types.push_back(sent.type);
    }
    return types;
  }
  // Without repetitions of the same type in a row and without deltas.
  std::vector<std::string> Milestones() const {
    std::vector<std::string> types;
    for (const SentEvent& sent : events) {
      if (!sent.type.ends_with(".delta")) {
        types.push_back(sent.type);
      }
    }
    return types;
  }
  std::vector<const SentEvent*> All(std::string_view type) const {
    std::vector<const SentEvent*> found;
    for (const SentEvent& sent : events) {
      if (sent.type == type) {
        found.push_back(&sent);
      }
    }
    return found;
  }
  const json::object& Last(std::string_view type) const {
    static const json::object none;
    const auto found = All(type);
    return found.empty() ? none : found.back()->event;
  }
  // The string at a path of the last event of that type; "" when there is none.
  std::string Text(std::string_view type, std::string_view path) const {
    const json::value* value = FindPath(Last(type), path);
    return value != nullptr && value->is_string() ? std::string(View(value->get_string())) : "";
  }
  // The value at that path; a string that says so when there is none, so that a test fails legibly.
  json::value Value(std::string_view type, std::string_view path) const {
    const json::value* value = FindPath(Last(type), path);
    return value != nullptr ? *value : json::value("(absent)");
  }
  std::string ErrorCode() const { return Text("error", "error.code"); }
  std::size_t SentAudioBytes() const {
    std::size_t bytes = 0;
    for (const SentEvent* sent : All("response.output_audio.delta")) {
      bytes += DecodeBase64(StringOr(sent->event, "delta")).value_or("").size();
    }
    return bytes;
  }
  TimePoint now() const { return now_; }

  SessionRecord record;
  ReplyScript script;
  std::vector<SentEvent> events;
  std::vector<CloseSession> closes;
  std::vector<SynthesizeSpeech> spoken;
  std::uint64_t speech_ms = 3000;
  bool speech_fails = false;

 private:
  static constexpr TimePoint kStart{hours(1)};

  static ModelOptions Complete(ModelOptions options) {
    options.session_id = "sess_test";
    if (options.model.empty()) {
      options.model = "gpt-realtime-2.1";
    }
    options.unix_now = 1'000'000;
    options.id_seed = 7;
    options.pacing_seed = 11;
    return options;
  }

  void Take(Effects effects) {
    std::vector<SynthesizeSpeech> requests;
    for (Effect& effect : effects) {
      if (auto* event = std::get_if<SendEvent>(&effect)) {
        events.push_back({now_ - kStart, event->type, *ParseObject(event->text)});
      } else if (auto* close = std::get_if<CloseSession>(&effect)) {
        closes.push_back(std::move(*close));
      } else {
        requests.push_back(std::get<SynthesizeSpeech>(effect));
      }
    }
    for (const SynthesizeSpeech& request : requests) {
      spoken.push_back(request);
      Take(model_.HandleSpeech(request.token, speech_fails ? "" : Voice(speech_ms), now_));
    }
  }

  TimePoint now_ = kStart;
  RealtimeModel model_;
};

}  // namespace voicebridge::simulator

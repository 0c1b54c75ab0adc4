// The spoken summary: on the conversation's own upstream, or on a short second one with a voice of
// its own.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/core/time.h"
#include "common/json/json.h"

namespace voicebridge::worker {

// Where the speech stands, and until when. Ids of the second upstream are made different from all
// of the first by a prefix, so that its response is an ordinary one for everybody else.
class SummarySpeech {
 public:
  // For a response that is still being given.
  static constexpr Duration kQuietMax = seconds(4);
  // To connect and configure the second upstream, and for a quiet moment after that.
  static constexpr Duration kConfigureMax = seconds(5);
  // The second upstream as a whole.
  static constexpr Duration kTotalMax = seconds(60);

  enum class Stage {
    kNone,
    kWaiting,      // For the other response to end.
    kConfiguring,  // The second upstream.
    kConfigured,   // It waits for the end of a response that voice activity began meanwhile.
    kSpeaking,     // On the second upstream.
    kOnMain,       // On the conversation's own: a response like others.
    kOver,
  };

  Stage stage() const { return stage_; }
  const std::string& text() const { return text_; }

  void Begin(std::string text, TimePoint now);
  void OpenSecond(TimePoint now);
  void Configured() { stage_ = Stage::kConfigured; }
  void Speak();
  void FallBackToMain();
  void End();

  // Events of the second upstream are wanted.
  bool has_second() const {
    return stage_ == Stage::kConfiguring || stage_ == Stage::kConfigured ||
           stage_ == Stage::kSpeaking;
  }

  void ResponseCreated(std::string_view response_id) { open_response_ = response_id; }
  void ResponseDone() { open_response_.clear(); }
  // Of the second upstream, with prefix; empty: none.
  const std::string& open_response() const { return open_response_; }
  void HeardAudio() { heard_audio_ = true; }
  bool heard_audio() const { return heard_audio_; }

  bool HasExpired(TimePoint now) const { return deadline_ && now >= *deadline_; }
  std::optional<TimePoint> NextDeadline() const { return deadline_; }

  static bool IsSecondId(std::string_view id) { return id.starts_with(kPrefix); }
  // The id as the second upstream knows it.
  static std::string_view WithoutPrefix(std::string_view id);
  // Puts the prefix on every id of an event.
  static void PrefixIds(json::object& event);

 private:
  static constexpr std::string_view kPrefix = "vbs_";

  Stage stage_ = Stage::kNone;
  std::string text_;
  std::optional<TimePoint> deadline_;
  TimePoint end_;  // Of the second upstream.
  std::string open_response_;
  bool heard_audio_ = false;
};

}  // namespace voicebridge::worker

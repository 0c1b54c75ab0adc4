// The session's settings as the upstream confirmed them, and the updates that it has not answered
// yet.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "common/core/time.h"
#include "common/json/json.h"

namespace voicebridge::worker {

// A session.update that was sent and neither confirmed nor refused.
struct PendingUpdate {
  TimePoint sent;
  std::string event_id;
  std::string client_event_id;
  json::object session;  // As it was sent.
  std::size_t bytes = 0;
};

// Updates are confirmed in the order in which they were sent. At most 16 and 2 MiB wait; beyond
// that the oldest is taken for answered. Time is an argument.
class SessionSettings {
 public:
  static constexpr std::size_t kPendingMax = 16;
  static constexpr std::size_t kPendingBytesMax = 2U << 20U;
  // An update that is not answered by then was not made, as far as anybody can tell.
  static constexpr Duration kAnswerMax = seconds(10);

  const json::object& effective() const { return effective_; }

  void Sent(PendingUpdate update);
  void Confirmed(json::object effective);
  // The update with this event id, which the upstream refused: nothing of it was applied.
  std::optional<PendingUpdate> TakeRefused(std::string_view event_id);
  // The oldest one, when it was not answered in time. Its confirmation may still come, and is then
  // taken for the next one's: what is effective is what was confirmed last in any case.
  std::optional<PendingUpdate> TakeExpired(TimePoint now);
  std::optional<TimePoint> NextDeadline() const;

  // The value at a path of the session object as it will be once all pending updates are confirmed.
  const json::value* Latest(std::string_view path) const;
  // The instructions among them, or "".
  std::string_view LatestInstructions() const;

  // Whether the server detects turns itself, by the latest and by the confirmed settings.
  bool WillDetectTurns() const;
  bool InterruptsOnSpeech() const;
  bool RespondsOnItsOwn() const;
  bool Transcribes() const;

 private:
  const json::object* TurnDetection() const;

  json::object effective_;
  std::deque<PendingUpdate> pending_;
  std::size_t pending_bytes_ = 0;
};

}  // namespace voicebridge::worker

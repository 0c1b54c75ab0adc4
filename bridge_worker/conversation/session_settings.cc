#include "bridge_worker/conversation/session_settings.h"

#include <algorithm>
#include <utility>

namespace voicebridge::worker {

void SessionSettings::Sent(PendingUpdate update) {
  pending_bytes_ += update.bytes;
  pending_.push_back(std::move(update));
  while (pending_.size() > kPendingMax ||
         (pending_.size() > 1 && pending_bytes_ > kPendingBytesMax)) {
    pending_bytes_ -= pending_.front().bytes;
    pending_.pop_front();
  }
}

void SessionSettings::Confirmed(json::object effective) {
  effective_ = std::move(effective);
  if (!pending_.empty()) {
    pending_bytes_ -= pending_.front().bytes;
    pending_.pop_front();
  }
}

std::optional<PendingUpdate> SessionSettings::TakeRefused(std::string_view event_id) {
  const auto refused =
      std::find_if(pending_.begin(), pending_.end(),
                   [&](const PendingUpdate& update) { return update.event_id == event_id; });
  if (refused == pending_.end()) {
    return std::nullopt;
  }
  PendingUpdate update = std::move(*refused);
  pending_.erase(refused);
  pending_bytes_ -= update.bytes;
  return update;
}

std::optional<PendingUpdate> SessionSettings::TakeExpired(TimePoint now) {
  const auto deadline = NextDeadline();
  if (!deadline || now < *deadline) {
    return std::nullopt;
  }
  PendingUpdate update = std::move(pending_.front());
  pending_.pop_front();
  pending_bytes_ -= update.bytes;
  return update;
}

std::optional<TimePoint> SessionSettings::NextDeadline() const {
  return pending_.empty() ? std::nullopt : std::optional(pending_.front().sent + kAnswerMax);
}

const json::value* SessionSettings::Latest(std::string_view path) const {
  for (auto update = pending_.rbegin(); update != pending_.rend(); ++update) {
    if (const json::value* value = FindPath(update->session, path)) {
      return value;
    }
  }
  return FindPath(effective_, path);
}

std::string_view SessionSettings::LatestInstructions() const {
  const json::value* value = Latest("instructions");
  return value != nullptr && value->is_string() ? View(value->get_string()) : std::string_view();
}

bool SessionSettings::WillDetectTurns() const {
  const json::value* detection = Latest("audio.input.turn_detection");
  return detection != nullptr && detection->is_object();
}

bool SessionSettings::InterruptsOnSpeech() const {
  const json::object* detection = TurnDetection();
  return detection != nullptr && FindBool(*detection, "interrupt_response").value_or(true);
}

bool SessionSettings::RespondsOnItsOwn() const {
  const json::object* detection = TurnDetection();
  return detection != nullptr && FindBool(*detection, "create_response").value_or(true);
}

bool SessionSettings::Transcribes() const {
  const json::value* transcription = FindPath(effective_, "audio.input.transcription");
  return transcription != nullptr && transcription->is_object();
}

const json::object* SessionSettings::TurnDetection() const {
  const json::value* detection = FindPath(effective_, "audio.input.turn_detection");
  return detection == nullptr ? nullptr : detection->if_object();
}

}  // namespace voicebridge::worker

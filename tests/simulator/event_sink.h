// Where a session's effects are collected.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "common/json/json.h"
#include "tests/simulator/id_source.h"
#include "tests/simulator/journal.h"
#include "tests/simulator/session_model.h"

namespace voicebridge::simulator {

// The part of a response that a delta belongs to.
struct PartAddress {
  std::string response_id;
  std::string item_id;
  std::size_t output_index = 0;
};

// Gives every server event its event_id and counts it. Owned by one model.
class EventSink {
 public:
  EventSink(SessionRecord& record, IdSource& ids) : record_(record), ids_(ids) {}

  void Send(std::string_view type, json::object fields);
  // Built by hand: the one event that is frequent and long. `audio` is base64.
  void SendAudioDelta(const PartAddress& part, std::string_view audio);
  void Synthesize(SynthesizeSpeech request) { effects_.emplace_back(std::move(request)); }
  // Unknown members in all events, and unknown events among them.
  void SetNovelties(bool on) { novelties_ = on; }
  void Close(std::uint16_t code, std::string reason);

  Effects Take() { return std::exchange(effects_, {}); }

 private:
  SessionRecord& record_;
  IdSource& ids_;
  void Add(std::string_view type, std::string text);

  Effects effects_;
  bool novelties_ = false;
  std::uint64_t events_ = 0;
};

}  // namespace voicebridge::simulator

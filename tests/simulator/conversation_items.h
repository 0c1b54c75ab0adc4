// The items of the default conversation, in order.
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/json/json.h"

namespace voicebridge::simulator {

struct Item {
  json::object fields;                       // As events carry it: everything but audio.
  std::map<std::size_t, std::string> audio;  // PCM by content index.
  // Of user audio: what it says and how long it is, by rule or script, whether it is transcribed or
  // not.
  std::string heard = {};
  double heard_seconds = 0;
  bool truncated = false;

  std::string_view id() const { return StringOr(fields, "id"); }
  std::string_view type() const { return StringOr(fields, "type"); }
  std::string_view role() const { return StringOr(fields, "role"); }
  // With its audio, as `conversation.item.retrieved` carries it.
  json::object WithAudio() const;
  // The texts and transcripts of its parts.
  std::string Text() const;
};

// Owned by one model. References stay valid until the item is erased. Audio is kept for the newest
// items only, so that a long session stays small.
class ConversationItems {
 public:
  // After the item named; at the front for "root", at the end for nullopt. Returns the id of the
  // item before it (empty: it is the first), or nullopt when there is no item of that name.
  std::optional<std::string> Insert(Item item, const std::optional<std::string>& previous);

  Item* Find(std::string_view id);
  const Item* Newest() const { return items_.empty() ? nullptr : &items_.back(); }
  const std::list<Item>& all() const { return items_; }
  // The id of the item before; empty when it is the first or unknown.
  std::string PreviousOf(std::string_view id) const;
  bool Erase(std::string_view id);
  bool HasCall(std::string_view call_id) const;
  bool HasOutput(std::string_view call_id) const;
  void ForgetOldAudio();

 private:
  std::list<Item> items_;
};

}  // namespace voicebridge::simulator

#include "tests/simulator/conversation_items.h"

#include <algorithm>
#include <utility>

#include "common/core/base64.h"

namespace voicebridge::simulator {
namespace {

constexpr std::size_t kAudioBytesKept = 32U << 20U;

template <class Items>
auto FindIn(Items& items, std::string_view id) {
  return std::find_if(items.begin(), items.end(),
                      [&](const Item& item) { return item.id() == id; });
}

bool Has(const std::list<Item>& items, std::string_view type, std::string_view call_id) {
  return std::any_of(items.begin(), items.end(), [&](const Item& item) {
    return item.type() == type && StringOr(item.fields, "call_id") == call_id;
  });
}

std::size_t AudioBytes(const Item& item) {
  std::size_t bytes = 0;
  for (const auto& [index, pcm] : item.audio) {
    bytes += pcm.size();
  }
  return bytes;
}

}  // namespace

json::object Item::WithAudio() const {
  json::object complete = fields;
  for (const auto& [index, pcm] : audio) {
    std::string text;
    AppendBase64(pcm, text);
    complete["content"].as_array()[index].as_object()["audio"] = text;
  }
  return complete;
}

std::string Item::Text() const {
  std::string text;
  const json::array* content = FindArray(fields, "content");
  if (content == nullptr) {
    return text;
  }
  for (const json::value& part : *content) {
    const json::object& object = part.as_object();
    const std::string_view words = StringOr(object, "text", StringOr(object, "transcript"));
    text += text.empty() || words.empty() ? "" : " ";
    text += words;
  }
  return text;
}

std::optional<std::string> ConversationItems::Insert(Item item,
                                                     const std::optional<std::string>& previous) {
  auto position = items_.end();
  if (previous == "root") {
    position = items_.begin();
  } else if (previous) {
    position = FindIn(items_, *previous);
    if (position == items_.end()) {
      return std::nullopt;
    }
    ++position;
  }
  const std::string before =
      position == items_.begin() ? std::string() : std::string(std::prev(position)->id());
  items_.insert(position, std::move(item));
  ForgetOldAudio();
  return before;
}

Item* ConversationItems::Find(std::string_view id) {
  const auto found = FindIn(items_, id);
  return found == items_.end() ? nullptr : &*found;
}

std::string ConversationItems::PreviousOf(std::string_view id) const {
  const auto found = FindIn(items_, id);
  return found == items_.end() || found == items_.begin() ? std::string()
                                                          : std::string(std::prev(found)->id());
}

bool ConversationItems::Erase(std::string_view id) {
  const auto found = FindIn(items_, id);
  if (found == items_.end()) {
    return false;
  }
  items_.erase(found);
  return true;
}

bool ConversationItems::HasCall(std::string_view call_id) const {
  return Has(items_, "function_call", call_id);
}

bool ConversationItems::HasOutput(std::string_view call_id) const {
  return Has(items_, "function_call_output", call_id);
}

void ConversationItems::ForgetOldAudio() {
  std::size_t kept = 0;
  for (auto item = items_.rbegin(); item != items_.rend(); ++item) {
    kept += AudioBytes(*item);
    if (kept > kAudioBytesKept) {
      item->audio.clear();
    }
  }
}

}  // namespace voicebridge::simulator

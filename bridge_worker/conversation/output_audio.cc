#include "bridge_worker/conversation/output_audio.h"

#include <algorithm>
#include <utility>

#include "common/core/audio.h"

namespace voicebridge::worker {

void OutputAudio::Begin(const std::string& item_id, const std::string& response_id) {
  Ensure(item_id, response_id);
}

OutputAudio::Piece OutputAudio::Add(const std::string& item_id, const std::string& response_id,
                                    std::string bytes, bool to_client) {
  Item& item = Ensure(item_id, response_id);
  if (item.carried) {
    bytes.insert(bytes.begin(), *std::exchange(item.carried, std::nullopt));
  }
  if (bytes.size() % kBytesPerSample != 0) {
    item.carried = bytes.back();
    bytes.pop_back();
  }
  Piece piece{item.sent, std::move(bytes)};
  const std::uint64_t samples = SamplesOfBytes(piece.pcm.size());
  item.generated += samples;
  if (to_client) {
    item.sent += samples;
  }
  return piece;
}

void OutputAudio::ItemDone(std::string_view item_id) {
  if (Item* item = Find(item_id)) {
    item->done = true;
    item->carried.reset();
  }
}

void OutputAudio::ResponseDone(std::string_view response_id) {
  for (Item& item : items_) {
    if (item.response_id == response_id) {
      item.done = true;
      item.carried.reset();
    }
  }
}

void OutputAudio::Truncate(std::string_view item_id, std::uint64_t kept_samples) {
  if (Item* item = Find(item_id)) {
    item->kept = std::min(item->kept.value_or(kept_samples), kept_samples);
  }
}

void OutputAudio::Deleted(std::string_view item_id) { Truncate(item_id, 0); }

std::optional<ItemAudioState> OutputAudio::StateOf(std::string_view item_id) const {
  const Item* item = Find(item_id);
  if (item == nullptr) {
    return std::nullopt;
  }
  return ItemAudioState{item->sent, std::min(item->kept.value_or(item->generated), item->generated),
                        item->done || item->kept};
}

std::uint64_t OutputAudio::GeneratedFor(std::string_view item_id) const {
  const Item* item = Find(item_id);
  return item == nullptr ? 0 : item->generated;
}

std::string OutputAudio::ResponseOf(std::string_view item_id) const {
  const Item* item = Find(item_id);
  return item == nullptr ? std::string() : item->response_id;
}

bool OutputAudio::WasTruncated(std::string_view item_id) const {
  const Item* item = Find(item_id);
  return item != nullptr && item->kept;
}

OutputAudio::Item& OutputAudio::Ensure(const std::string& item_id, const std::string& response_id) {
  if (Item* item = Find(item_id)) {
    return *item;
  }
  if (items_.size() >= kItemsMax) {
    items_.pop_front();
  }
  Item& item = items_.emplace_back();
  item.id = item_id;
  item.response_id = response_id;
  return item;
}

const OutputAudio::Item* OutputAudio::Find(std::string_view item_id) const {
  const auto found = std::find_if(items_.rbegin(), items_.rend(),
                                  [&](const Item& item) { return item.id == item_id; });
  return found == items_.rend() ? nullptr : &*found;
}

OutputAudio::Item* OutputAudio::Find(std::string_view item_id) {
  return const_cast<Item*>(std::as_const(*this).Find(item_id));
}

}  // namespace voicebridge::worker

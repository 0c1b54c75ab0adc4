// The assistant's audio, item by item: what was generated, what the client was sent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "bridge_worker/conversation/truncation.h"

namespace voicebridge::worker {

// Counts decoded samples and joins the sample that two deltas share. Of items whose audio is over
// only the counts are kept, for truncation: of the newest 256, which is more than any client has
// queued.
class OutputAudio {
 public:
  static constexpr std::size_t kItemsMax = 256;

  struct Piece {
    std::uint64_t first_sample = 0;
    std::string pcm;  // Whole samples; may be empty.
  };
  // The item belongs to this response; its audio follows.
  void Begin(const std::string& item_id, const std::string& response_id);
  // A decoded delta. `to_client`: it will be sent there; else it only counts as generated.
  Piece Add(const std::string& item_id, const std::string& response_id, std::string bytes,
            bool to_client);

  void ItemDone(std::string_view item_id);
  void ResponseDone(std::string_view response_id);
  // From now on only this much of the item exists.
  void Truncate(std::string_view item_id, std::uint64_t kept_samples);
  void Deleted(std::string_view item_id);

  // nullopt: nothing was generated, or it is forgotten.
  std::optional<ItemAudioState> StateOf(std::string_view item_id) const;
  // All that was generated, cut or not.
  std::uint64_t GeneratedFor(std::string_view item_id) const;
  std::string ResponseOf(std::string_view item_id) const;
  bool WasTruncated(std::string_view item_id) const;

 private:
  struct Item {
    std::string id;
    std::string response_id;
    std::uint64_t sent = 0;
    std::uint64_t generated = 0;
    std::optional<char> carried;        // The first byte of a sample whose second is still to come.
    std::optional<std::uint64_t> kept;  // After a truncate.
    bool done = false;
  };

  Item& Ensure(const std::string& item_id, const std::string& response_id);
  const Item* Find(std::string_view item_id) const;
  Item* Find(std::string_view item_id);

  std::deque<Item> items_;
};

}  // namespace voicebridge::worker

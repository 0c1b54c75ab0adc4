// How many sessions a process holds, and the ids of the first of them, in a fixed table.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace voicebridge {

// Nothing here locks, waits or allocates: the watchdog reads it while the rest of the process is
// stuck. The count may be changed and everything be read from any thread; ids are shown by one
// thread at a time (the index that owns the sessions).
class LiveSessions {
 public:
  static constexpr std::size_t kPlaces = 16;

  // What was shown in one place: a whole id or none, cut to what a place holds.
  class ShownId {
   public:
    std::string_view view() const { return {bytes_.data(), size_}; }

   private:
    friend class LiveSessions;
    std::array<char, 40> bytes_;
    std::size_t size_ = 0;
  };

  LiveSessions() = default;
  LiveSessions(const LiveSessions&) = delete;
  LiveSessions& operator=(const LiveSessions&) = delete;

  // One more session, unless there are `capacity` of them; 0: no limit. One atomic step.
  bool TryReserve(std::int64_t capacity);
  void Release() { count_.fetch_sub(1); }
  std::int64_t count() const { return count_.load(); }

  // Puts an id into a place; empty: nobody is there any more.
  void Show(std::size_t place, std::string_view session_id);

  // Empty as well when the place is being changed each time it is looked at. An id that moves to
  // another place may be seen in both, or in none.
  ShownId Read(std::size_t place) const;

 private:
  static constexpr std::size_t kWords = 5;  // An id of ours takes 26 bytes, the first is its size.

  // A sequence lock. The writer makes the version odd, writes, and makes it even again. A reader
  // that saw the same even version before and after its copy has a whole id: had one word of a
  // later id been in the copy, the fences would have shown it the odd version of that id, too. The
  // words are atomics, so that a copy that is thrown away was no data race either. The reader tries
  // a fixed number of times: a writer that stands still in the middle cannot hold it up.
  struct Place {
    std::atomic<std::uint32_t> version = 0;
    std::array<std::atomic<std::uint64_t>, kWords> words = {};
  };

  std::array<Place, kPlaces> places_;
  std::atomic<std::int64_t> count_ = 0;
};

}  // namespace voicebridge

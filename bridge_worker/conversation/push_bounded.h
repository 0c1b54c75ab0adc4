// A queue that forgets its oldest: for what is remembered of the past, never for what has still to
// be done.
#pragma once

#include <cstddef>
#include <deque>
#include <utility>

namespace voicebridge::worker {

// Returns what was appended. size_max is at least 1.
template <class T>
T& PushBounded(std::deque<T>& queue, T value, std::size_t size_max) {
  if (queue.size() >= size_max) {
    queue.pop_front();
  }
  return queue.emplace_back(std::move(value));
}

}  // namespace voicebridge::worker

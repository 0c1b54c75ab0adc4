// Time as values. Only Clock implementations read a clock; everything else is handed `now`.
#pragma once

#include <chrono>

namespace voicebridge {

// Monotonic, like every clock in the project; wall-clock time appears only in tokens and logs.
using TimePoint = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

inline double ToSeconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace voicebridge

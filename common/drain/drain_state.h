// How far the drain of a process is, for those who only look: metrics, status calls, gates of work.
#pragma once

#include <atomic>
#include <cstdint>

#include "common/core/deadline.h"

namespace voicebridge {

// Written by the drain's driver on the main thread, read by all; lives as long as the process.
class DrainState {
 public:
  // The first thing that a drain sets. Gates new sessions, tools and background work.
  bool draining() const { return draining_.load(); }
  const std::atomic<bool>& flag() const { return draining_; }
  // Zero while serving, and once drained.
  Duration TimeLeft(TimePoint now) const {
    const TimePoint end{Duration(end_.load())};
    return draining() && end > now ? end - now : Duration::zero();
  }
  std::int64_t stored() const { return stored_.load(); }
  std::int64_t forced() const { return forced_.load(); }
  // Of the last drain that came to its end.
  Duration took() const { return Duration(took_.load()); }

  void Begin() { draining_.store(true); }
  void Undo() { draining_.store(false); }
  void SetEnd(TimePoint end) { end_.store(end.time_since_epoch().count()); }
  void SetTook(Duration took) { took_.store(took.count()); }
  // Sessions since the start of the process.
  void Count(std::int64_t stored, std::int64_t forced) {
    stored_ += stored;
    forced_ += forced;
  }

 private:
  std::atomic<bool> draining_ = false;
  std::atomic<Duration::rep> end_ = 0;
  std::atomic<Duration::rep> took_ = 0;
  std::atomic<std::int64_t> stored_ = 0;
  std::atomic<std::int64_t> forced_ = 0;
};

}  // namespace voicebridge

// When each frame of each session is to be sent. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/core/time.h"

namespace voicebridge::load {

// Open loop: the instants are fixed before the run and wait for nobody. Every session sends one
// frame per interval; where in the interval is drawn from `seed`, with the sessions spread evenly.
class SendSchedule {
 public:
  SendSchedule(std::size_t sessions, Duration interval, std::uint32_t frames_per_session,
               std::uint64_t seed);

  struct Slot {
    std::size_t session;
    std::uint32_t frame;
    Duration due;  // Since the start of the run.
  };
  // Slots in the order of time; `index` < total().
  Slot At(std::uint64_t index) const;
  std::uint64_t total() const;

  Duration interval() const { return interval_; }
  std::uint32_t frames_per_session() const { return frames_per_session_; }
  // Where in the interval this session sends.
  Duration PhaseOf(std::size_t session) const;

 private:
  struct Phase {
    std::size_t session;
    Duration offset;
  };
  std::vector<Phase> phases_;  // By offset, which rises.
  Duration interval_;
  std::uint32_t frames_per_session_;
};

}  // namespace voicebridge::load

#include "tests/load/schedule.h"

#include <algorithm>
#include <numeric>
#include <random>

namespace voicebridge::load {

SendSchedule::SendSchedule(std::size_t sessions, Duration interval,
                           std::uint32_t frames_per_session, std::uint64_t seed)
    : interval_(interval), frames_per_session_(frames_per_session) {
  std::vector<std::size_t> order(sessions);
  std::iota(order.begin(), order.end(), 0);
  std::mt19937_64 random(seed);
  std::shuffle(order.begin(), order.end(), random);
  std::uniform_real_distribution<double> within_stratum(0, 1);
  const double width = static_cast<double>(interval.count()) / static_cast<double>(sessions);
  phases_.reserve(sessions);
  for (std::size_t place = 0; place < sessions; ++place) {
    const double offset = (static_cast<double>(place) + within_stratum(random)) * width;
    phases_.push_back({order[place], Duration(static_cast<Duration::rep>(offset))});
  }
}

SendSchedule::Slot SendSchedule::At(std::uint64_t index) const {
  const Phase& phase = phases_[index % phases_.size()];
  const auto frame = static_cast<std::uint32_t>(index / phases_.size());
  return {phase.session, frame, interval_ * frame + phase.offset};
}

std::uint64_t SendSchedule::total() const {
  return static_cast<std::uint64_t>(phases_.size()) * frames_per_session_;
}

Duration SendSchedule::PhaseOf(std::size_t session) const {
  return std::find_if(phases_.begin(), phases_.end(),
                      [session](const Phase& phase) { return phase.session == session; })
      ->offset;
}

}  // namespace voicebridge::load

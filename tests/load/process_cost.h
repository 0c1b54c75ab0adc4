// What a load costs the processes under test.
#pragma once

#include <absl/status/status.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/load/process_stats.h"

namespace voicebridge::load {

// Three looks at the same processes: before the first session, and at both ends of the time that is
// measured. Each fails when a process is gone.
class ProcessCost {
 public:
  explicit ProcessCost(std::vector<int> pids) : pids_(std::move(pids)) {}

  absl::Status LookBefore();
  // `units`: what was relayed so far.
  absl::Status LookAtBegin(std::uint64_t units);
  absl::Status LookAtEnd(std::uint64_t units);

  // A JSON array with an object per process; `unit` names what was counted, "frame" for instance.
  std::string ToJson(std::string_view unit, std::size_t sessions) const;
  std::uint64_t units() const { return units_end_ - units_begin_; }

 private:
  absl::Status Look(std::vector<ProcessSample>& samples) const;
  std::string OneToJson(std::size_t index, std::string_view unit, std::size_t sessions) const;

  std::vector<int> pids_;
  std::vector<ProcessSample> before_;
  std::vector<ProcessSample> begin_;
  std::vector<ProcessSample> end_;
  std::uint64_t units_begin_ = 0;
  std::uint64_t units_end_ = 0;
};

}  // namespace voicebridge::load

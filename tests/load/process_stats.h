// What /proc tells about the processes under test.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/core/time.h"

namespace voicebridge::load {

// --- pure ----------------------------------------------------------------------------------------

// Time on a CPU from /proc/…/schedstat, exact; nullopt: not such a text.
std::optional<Duration> ParseSchedstat(std::string_view text);
// utime + stime in clock ticks from /proc/…/stat; the name in it may hold anything.
std::optional<std::uint64_t> ParseStatTicks(std::string_view text);
// The number of a line such as `VmRSS:	  1234 kB` in /proc/…/status.
std::optional<std::uint64_t> ParseStatusNumber(std::string_view text, std::string_view field);

// --- reading -------------------------------------------------------------------------------------

struct ProcessSample {
  int pid = 0;
  std::string name;
  Duration cpu{};  // Of the threads that live; in ticks of 10 ms where the kernel has no schedstat.
  std::uint64_t voluntary_switches = 0;
  std::uint64_t rss_kib = 0;
  std::uint64_t fds = 0;
  std::uint64_t threads = 0;
};

// NOT_FOUND names the process that is not there or may not be looked at.
absl::StatusOr<ProcessSample> SampleProcess(int pid);
absl::StatusOr<std::vector<ProcessSample>> SampleProcesses(const std::vector<int>& pids);

}  // namespace voicebridge::load

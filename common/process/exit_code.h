// How a process ended; part of the contract with operators and supervisors.
#pragma once

#include <absl/status/status.h>

namespace voicebridge {

enum class ExitCode : int {
  kClean = 0,     // Also --help and --version.
  kBadFlags = 1,  // Flags that cannot be parsed.
  kBadConfiguration = 2,
  kDrainForced = 3,  // Something was left at the end of the budget.
  kSecondSignal = 4,
  kUnavailable = 5,  // Something that a start needs is not there; starting again may help.
};

// Of a start that failed: the store or a port may be free a moment later, a configuration stays
// wrong.
inline ExitCode ExitCodeOfStart(const absl::Status& failure) {
  return absl::IsUnavailable(failure) ? ExitCode::kUnavailable : ExitCode::kBadConfiguration;
}

}  // namespace voicebridge

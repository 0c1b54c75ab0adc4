// How a process ended; part of the contract with operators and supervisors.
#pragma once

namespace voicebridge {

enum class ExitCode : int {
  kClean = 0,     // Also --help and --version.
  kBadFlags = 1,  // Flags that cannot be parsed.
  kBadConfiguration = 2,
  kDrainForced = 3,  // Something was left at the end of the budget.
  kSecondSignal = 4,
};

}  // namespace voicebridge

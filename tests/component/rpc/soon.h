// The deadline of a wait that has no reason to last.
#pragma once

#include "common/core/deadline.h"
#include "common/core/time.h"

namespace voicebridge {

inline constexpr Duration kPatience = seconds(10);

inline Deadline Soon() { return Deadline::After(std::chrono::steady_clock::now(), kPatience); }

}  // namespace voicebridge

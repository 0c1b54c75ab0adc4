// The time of day, for what leaves the process with a date on it: tokens. Never for waiting.
#pragma once

#include <cstdint>
#include <ctime>

namespace voicebridge {

inline std::int64_t UnixNow() { return static_cast<std::int64_t>(std::time(nullptr)); }

}  // namespace voicebridge

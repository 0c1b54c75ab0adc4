// `voicebridgectl drain`: asks for a drain and shows how it goes.
#pragma once

#include "deploy/ctl/drain_watch.h"

namespace voicebridge::ctl {

// An exit code: 0 drained, 3 drained but something was forced, unreachable or not stored, 1 failed,
// 128 + the signal that ended the watching.
int RunDrain(const DrainOptions& options);

}  // namespace voicebridge::ctl

// The command line of voicebridgectl.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <vector>

#include "deploy/ctl/talk.h"

namespace voicebridge::ctl {

// The words after `talk`: URL and FILE.wav in this order, flags anywhere as `--flag=value` or
// `--flag value`. `key_from_environment` is VOICEBRIDGE_KEY's value or empty; --key wins over it.
// INVALID_ARGUMENT names the word and what was expected.
absl::StatusOr<TalkOptions> ParseTalk(const std::vector<std::string>& words,
                                      const std::string& key_from_environment);

}  // namespace voicebridge::ctl

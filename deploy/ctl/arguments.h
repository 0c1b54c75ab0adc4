// The command line of voicebridgectl.
#pragma once

#include <absl/status/statusor.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/ctl/admin.h"
#include "deploy/ctl/drain_watch.h"
#include "deploy/ctl/talk.h"

namespace voicebridge::ctl {

// The words after `talk`: URL and FILE.wav in this order, flags anywhere as `--flag=value` or
// `--flag value`. `key_from_environment` is VOICEBRIDGE_KEY's value or empty; --key wins over it.
// INVALID_ARGUMENT names the word and what was expected.
absl::StatusOr<TalkOptions> ParseTalk(const std::vector<std::string>& words,
                                      const std::string& key_from_environment);

// The commands to an admin listener by their words; nullopt: it is none.
std::optional<AdminCommand> AdminCommandOf(std::string_view word);

// The words after such a command: ADDR, with a session its ID, flags anywhere. FAILED_PRECONDITION:
// the command line is right, but a file that it names is not.
absl::StatusOr<AdminOptions> ParseAdmin(AdminCommand command,
                                        const std::vector<std::string>& words);

// The words after `drain`: ADDR, flags anywhere. Errors as above. Whether a budget is long enough
// and a mode goes with a fleet is the server's to say.
absl::StatusOr<DrainOptions> ParseDrain(const std::vector<std::string>& words);

}  // namespace voicebridge::ctl

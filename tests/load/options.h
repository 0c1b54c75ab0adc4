// What to run.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "common/core/time.h"
#include "common/websocket/url.h"

namespace voicebridge::load {

enum class Mode { kJson, kBinary, kMixed, kTurns };

struct LoadOptions {
  Url url;
  std::string key;  // Empty: none.
  Mode mode = Mode::kJson;
  bool binary_turns = false;
  std::size_t sessions = 200;
  Duration frame = milliseconds(40);
  Duration warmup = seconds(2);
  Duration duration = seconds(10);
  Duration settle = seconds(5);
  Duration utterance = seconds(2);
  std::uint64_t seed = 1;
  std::vector<int> pids;

  std::size_t frame_bytes() const;
};

std::string_view NameOf(Mode mode);

// The flags of the load; the subcommand `upstream` has but one.
std::vector<std::string> LoadFlags();
std::vector<std::string> UpstreamFlags();

// INVALID_ARGUMENT with one line per flag that is wrong.
absl::StatusOr<LoadOptions> ReadLoadOptions();
std::string UpstreamListenAddress();

}  // namespace voicebridge::load

#include "tests/load/options.h"

#include <absl/flags/flag.h>
#include <absl/time/time.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "common/config/flags.h"
#include "common/core/audio.h"
#include "common/core/status.h"

ABSL_FLAG(std::string, url, "ws://127.0.0.1:8080/v1/realtime", "ws:// address under test.");
ABSL_FLAG(std::string, key, "", "API key or client secret, sent as Authorization; empty: none.");
ABSL_FLAG(std::string, mode, "json", "json, binary, mixed (half and half) or turns.");
ABSL_FLAG(bool, binary, false, "With --mode=turns: audio as binary frames.");
ABSL_FLAG(int, sessions, 200, "Sessions at the same time.");
ABSL_FLAG(int, frame_ms, 40, "Audio per frame, and the time between two of a session.");
ABSL_FLAG(absl::Duration, duration, absl::Seconds(10), "What is measured.");
ABSL_FLAG(absl::Duration, warmup, absl::Seconds(2), "The same load before, not measured.");
ABSL_FLAG(absl::Duration, settle, absl::Seconds(5), "How long to wait for the last echoes.");
ABSL_FLAG(absl::Duration, utterance, absl::Seconds(2), "With --mode=turns: speech per turn.");
ABSL_FLAG(std::uint64_t, seed, 1, "Of the moments at which sessions send.");
ABSL_FLAG(std::vector<std::string>, pids, {}, "Processes whose cost is measured.");
ABSL_FLAG(std::string, listen, "127.0.0.1:0", "Of `upstream`: a loopback address; port 0: any.");

namespace voicebridge::load {
namespace {

constexpr int kSessionsMax = 20'000;
constexpr absl::Duration kDurationMax = absl::Hours(24);
constexpr std::array<std::pair<std::string_view, Mode>, 4> kModes = {{
    {"json", Mode::kJson},
    {"binary", Mode::kBinary},
    {"mixed", Mode::kMixed},
    {"turns", Mode::kTurns},
}};

int ReadInRange(std::string_view flag, int value, int least, int most, ConfigErrors& errors) {
  if (value < least || value > most) {
    errors.Add(flag, fmt::format("expected {} to {}, got {}", least, most, value));
  }
  return value;
}

Duration ReadTime(std::string_view flag, absl::Duration value, absl::Duration least,
                  ConfigErrors& errors) {
  if (value < least || value > kDurationMax) {
    errors.Add(flag, fmt::format("expected {} s to 24 h", absl::ToDoubleSeconds(least)));
  }
  return absl::ToChronoNanoseconds(value);
}

Mode ReadMode(const std::string& text, ConfigErrors& errors) {
  for (const auto& [name, mode] : kModes) {
    if (name == text) {
      return mode;
    }
  }
  errors.Add("mode", fmt::format("expected json, binary, mixed or turns, got \"{}\"", text));
  return Mode::kJson;
}

Url ReadUrl(ConfigErrors& errors) {
  absl::StatusOr<Url> url = ParseUrl(absl::GetFlag(FLAGS_url));
  if (!url.ok()) {
    errors.Add("url", Message(url.status()));
    return {};
  }
  if (url->scheme != "ws") {
    errors.Add("url", "expected ws://: the tool speaks no TLS");
  }
  return *std::move(url);
}

std::vector<int> ReadPids(ConfigErrors& errors) {
  std::vector<int> pids;
  for (const std::string& text : absl::GetFlag(FLAGS_pids)) {
    int pid = 0;
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, pid);
    if (parsed.ec != std::errc() || parsed.ptr != end || pid <= 0) {
      errors.Add("pids", fmt::format("expected process ids, got \"{}\"", text));
    }
    pids.push_back(pid);
  }
  return pids;
}

}  // namespace

std::size_t LoadOptions::frame_bytes() const {
  const auto milliseconds_of_frame = std::chrono::duration_cast<milliseconds>(frame).count();
  return static_cast<std::size_t>(milliseconds_of_frame) * kSamplesPerSecond / 1000 *
         kBytesPerSample;
}

std::string_view NameOf(Mode mode) {
  return std::find_if(kModes.begin(), kModes.end(),
                      [mode](const auto& entry) { return entry.second == mode; })
      ->first;
}

std::vector<std::string> LoadFlags() {
  return {"url",      "key",    "mode",   "binary",    "sessions", "frame_ms",
          "duration", "warmup", "settle", "utterance", "seed",     "pids"};
}

std::vector<std::string> UpstreamFlags() { return {"listen"}; }

std::string UpstreamListenAddress() { return absl::GetFlag(FLAGS_listen); }

absl::StatusOr<LoadOptions> ReadLoadOptions() {
  ConfigErrors errors;
  LoadOptions options;
  options.url = ReadUrl(errors);
  options.key = absl::GetFlag(FLAGS_key);
  options.mode = ReadMode(absl::GetFlag(FLAGS_mode), errors);
  options.binary_turns = absl::GetFlag(FLAGS_binary);
  if (options.binary_turns && options.mode != Mode::kTurns) {
    errors.Add("binary", "belongs to --mode=turns; --mode=binary sends frames");
  }
  options.sessions = static_cast<std::size_t>(
      ReadInRange("sessions", absl::GetFlag(FLAGS_sessions), 1, kSessionsMax, errors));
  options.frame =
      milliseconds(ReadInRange("frame_ms", absl::GetFlag(FLAGS_frame_ms), 10, 100, errors));
  const absl::Duration least = absl::Milliseconds(100);
  options.duration = ReadTime("duration", absl::GetFlag(FLAGS_duration), least, errors);
  options.warmup = ReadTime("warmup", absl::GetFlag(FLAGS_warmup), absl::ZeroDuration(), errors);
  options.settle = ReadTime("settle", absl::GetFlag(FLAGS_settle), absl::ZeroDuration(), errors);
  options.utterance = ReadTime("utterance", absl::GetFlag(FLAGS_utterance), least, errors);
  options.seed = absl::GetFlag(FLAGS_seed);
  options.pids = ReadPids(errors);
  if (!errors.empty()) {
    return absl::InvalidArgumentError(errors.ToString());
  }
  return options;
}

}  // namespace voicebridge::load

#include "common/config/profiles.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>
#include <vector>

#include "common/config/profile_checker.h"
#include "common/core/status.h"

namespace voicebridge {
namespace {

constexpr std::array<std::string_view, 10> kVoices = {
    "alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar"};
constexpr std::array<std::string_view, 4> kEagerness = {"low", "medium", "high", "auto"};
// The settings of OpenAI's session object that a client may send, and so an operator may lock.
constexpr std::array<std::string_view, 23> kSessionPaths = {"audio",
                                                            "audio.input",
                                                            "audio.input.format",
                                                            "audio.input.noise_reduction",
                                                            "audio.input.transcription",
                                                            "audio.input.turn_detection",
                                                            "audio.output",
                                                            "audio.output.format",
                                                            "audio.output.speed",
                                                            "audio.output.voice",
                                                            "include",
                                                            "instructions",
                                                            "max_output_tokens",
                                                            "model",
                                                            "output_modalities",
                                                            "parallel_tool_calls",
                                                            "prompt",
                                                            "reasoning",
                                                            "reasoning.effort",
                                                            "tool_choice",
                                                            "tools",
                                                            "tracing",
                                                            "truncation"};
constexpr double kSpeedMin = 0.25;
constexpr double kSpeedMax = 1.5;
constexpr std::uint32_t kVadPaddingMsMax = 10'000;
constexpr std::uint32_t kSessionSecondsMax = 24 * 3600;

template <std::size_t kSize>
bool IsOneOf(const std::array<std::string_view, kSize>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

void CheckVoice(const v1::Profile& profile, ProfileChecker& checker) {
  checker.RequireVoice(profile.voice(), "voice");
  const double speed = profile.speed();
  checker.Require(speed == 0 || (speed >= kSpeedMin && speed <= kSpeedMax), "speed",
                  "expected {} to {}, or 0 for 1, got {}", kSpeedMin, kSpeedMax, speed);
}

void CheckServerVad(const v1::TurnDetection& detection, ProfileChecker& checker) {
  checker.Require(detection.threshold() >= 0 && detection.threshold() <= 1,
                  "turn_detection.threshold", "expected 0 to 1, got {}", detection.threshold());
  checker.Require(detection.prefix_padding_ms() <= kVadPaddingMsMax,
                  "turn_detection.prefix_padding_ms", "expected at most {}, got {}",
                  kVadPaddingMsMax, detection.prefix_padding_ms());
  checker.Require(detection.silence_duration_ms() <= kVadPaddingMsMax,
                  "turn_detection.silence_duration_ms", "expected at most {}, got {}",
                  kVadPaddingMsMax, detection.silence_duration_ms());
  checker.Require(detection.eagerness().empty(), "turn_detection.eagerness",
                  "belongs to SEMANTIC_VAD only");
}

void CheckSemanticVad(const v1::TurnDetection& detection, ProfileChecker& checker) {
  checker.Require(detection.eagerness().empty() || IsOneOf(kEagerness, detection.eagerness()),
                  "turn_detection.eagerness", "expected one of {}, got \"{}\"",
                  fmt::join(kEagerness, ", "), detection.eagerness());
  checker.Require(detection.threshold() == 0, "turn_detection.threshold",
                  "belongs to SERVER_VAD only");
  checker.Require(detection.prefix_padding_ms() == 0, "turn_detection.prefix_padding_ms",
                  "belongs to SERVER_VAD only");
  checker.Require(detection.silence_duration_ms() == 0, "turn_detection.silence_duration_ms",
                  "belongs to SERVER_VAD only");
}

void CheckTurnDetection(const v1::TurnDetection& detection, ProfileChecker& checker) {
  if (detection.type() == v1::TurnDetection::SERVER_VAD) {
    CheckServerVad(detection, checker);
  } else if (detection.type() == v1::TurnDetection::SEMANTIC_VAD) {
    CheckSemanticVad(detection, checker);
  } else {
    checker.Require(
        false, "turn_detection.type",
        "expected SERVER_VAD or SEMANTIC_VAD; leave turn_detection out for push-to-talk");
  }
}

void CheckTranscription(const v1::Transcription& transcription, ProfileChecker& checker) {
  checker.Require(!transcription.model().empty(), "transcription.model",
                  "expected the name of a transcription model");
  const std::string& language = transcription.language();
  const bool is_code =
      (language.size() == 2 || language.size() == 3) &&
      std::all_of(language.begin(), language.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  checker.Require(language.empty() || is_code, "transcription.language",
                  "expected a language code such as \"en\", got \"{}\"", language);
}

void CheckSeconds(std::uint32_t value, std::string_view field, ProfileChecker& checker) {
  checker.Require(value <= kSessionSecondsMax, field, "expected at most {} seconds, got {}",
                  kSessionSecondsMax, value);
}

absl::Status Check(std::string_view file_name, const v1::Profile& profile) {
  ProfileChecker checker(file_name);
  const std::string stem = std::filesystem::path(file_name).stem().string();
  checker.Require(profile.name() == stem, "name",
                  "expected \"{}\", as the file is named, got \"{}\"", stem, profile.name());
  checker.Require(!profile.model().empty(), "model", "expected the name of a Realtime model");
  checker.Require(!profile.instructions().empty(), "instructions", "expected a text");
  CheckVoice(profile, checker);
  if (profile.has_turn_detection()) {
    CheckTurnDetection(profile.turn_detection(), checker);
  }
  if (profile.has_transcription()) {
    CheckTranscription(profile.transcription(), checker);
  }
  for (int i = 0; i < profile.locked_settings_size(); ++i) {
    const std::string& path = profile.locked_settings(i);
    checker.Require(IsOneOf(kSessionPaths, path), fmt::format("locked_settings[{}]", i),
                    "\"{}\" is no setting of a session; expected one of {}", path,
                    fmt::join(kSessionPaths, ", "));
  }
  CheckTools(profile, checker);
  if (profile.has_assessment()) {
    CheckAssessment(profile.assessment(), checker);
  }
  CheckSeconds(profile.limits().session_seconds(), "limits.session_seconds", checker);
  CheckSeconds(profile.limits().idle_seconds(), "limits.idle_seconds", checker);
  return checker.Result();
}

absl::StatusOr<std::vector<std::filesystem::path>> ListProfileFiles(const std::string& directory) {
  std::error_code error;
  std::vector<std::filesystem::path> files;
  std::filesystem::directory_iterator entry(directory, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    if (entry->path().extension() == ".json") {
      files.push_back(entry->path());
    }
  }
  if (error) {
    return InvalidArgument("{}: cannot read the profiles: {}", directory, error.message());
  }
  if (files.empty()) {
    return InvalidArgument("{}: expected at least one profile (NAME.json)", directory);
  }
  std::sort(files.begin(), files.end());
  return files;
}

absl::StatusOr<v1::Profile> LoadProfile(const std::filesystem::path& path) {
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file) {
    return InvalidArgument("{}: cannot be read", path.string());
  }
  return ParseProfile(path.string(), text);
}

}  // namespace

void ProfileChecker::RequireVoice(const std::string& voice, std::string_view field) {
  Require(IsOneOf(kVoices, voice) || (voice.starts_with("voice_") && voice.size() > 6), field,
          "expected one of {} or a custom voice_..., got \"{}\"", fmt::join(kVoices, ", "), voice);
}

absl::StatusOr<v1::Profile> ParseProfile(std::string_view file_name, std::string_view json_text) {
  v1::Profile profile;
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = false;
  options.case_insensitive_enum_parsing = true;  // "server_vad", as OpenAI writes it.
  const auto parsed = google::protobuf::util::JsonStringToMessage(
      google::protobuf::StringPiece(json_text.data(), json_text.size()), &profile, options);
  if (!parsed.ok()) {
    return InvalidArgument("{}: {}", file_name, parsed.message().ToString());
  }
  const absl::Status checked = Check(file_name, profile);
  if (!checked.ok()) {
    return checked;
  }
  return profile;
}

absl::StatusOr<Profiles> LoadProfiles(const std::string& directory) {
  const auto files = ListProfileFiles(directory);
  if (!files.ok()) {
    return files.status();
  }
  Profiles profiles;
  std::vector<std::string> problems;
  for (const std::filesystem::path& path : *files) {
    absl::StatusOr<v1::Profile> profile = LoadProfile(path);
    if (profile.ok()) {
      const std::string name = profile->name();
      profiles.emplace(name, *std::move(profile));
    } else {
      problems.push_back(Message(profile.status()));
    }
  }
  if (!problems.empty()) {
    return InvalidArgument("{}", fmt::join(problems, "\n"));
  }
  return profiles;
}

}  // namespace voicebridge

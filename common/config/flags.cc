#include "common/config/flags.h"

#include <absl/flags/commandlineflag.h>
#include <absl/flags/reflection.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <utility>

namespace voicebridge {
namespace {

constexpr int kExitClean = 0;
constexpr int kExitBadFlags = 1;
constexpr std::string_view kEnvironmentPrefix = "VOICEBRIDGE_";
constexpr std::string_view kTestPrefix =
    "VOICEBRIDGE_TEST_";  // For test tools, which share the shell.
constexpr std::string_view kFlagFile = "flagfile";

struct Word {
  std::string_view name;                  // Empty: not a flag.
  std::optional<std::string_view> value;  // What follows '='.
};

Word Split(std::string_view text) {
  if (!text.starts_with('-')) {
    return {};
  }
  text.remove_prefix(text.starts_with("--") ? 2 : 1);
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    return {text, std::nullopt};
  }
  return {text.substr(0, equals), text.substr(equals + 1)};
}

bool Contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

absl::CommandLineFlag* FindFlag(std::string_view name) {
  return absl::FindCommandLineFlag(absl::string_view(name.data(), name.size()));
}

bool IsBoolean(std::string_view name) {
  const absl::CommandLineFlag* flag = FindFlag(name);
  return flag != nullptr && flag->IsOfType<bool>();
}

// Turns `--name value` into `--name=value`, so that one word is one setting. What follows `--` is
// no flag.
std::vector<std::string> JoinValues(const std::vector<std::string>& words,
                                    const std::vector<std::string>& known_flags) {
  std::vector<std::string> joined;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--") {
      joined.insert(joined.end(), words.begin() + static_cast<std::ptrdiff_t>(i), words.end());
      break;
    }
    const Word word = Split(words[i]);
    const bool takes_value =
        word.name == kFlagFile || (Contains(known_flags, word.name) && !IsBoolean(word.name));
    if (takes_value && !word.value && i + 1 < words.size()) {
      joined.push_back(fmt::format("--{}={}", word.name, words[i + 1]));
      ++i;
    } else {
      joined.push_back(words[i]);
    }
  }
  return joined;
}

// A file that cannot be read stays as the word that named it, and ParseFlags complains about that.
void AppendFlagFile(std::string_view path, std::vector<std::string>& words) {
  std::ifstream file{std::string(path)};
  if (!file) {
    words.push_back(fmt::format("--{}={}", kFlagFile, path));
    return;
  }
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find_first_not_of(" \t\r");
    if (first == std::string::npos || line[first] == '#') {
      continue;
    }
    words.push_back(line.substr(first, line.find_last_not_of(" \t\r") - first + 1));
  }
}

// The flag that an environment entry names, in the spelling of flags; empty when it is none of
// ours.
std::string FlagNameOf(std::string_view variable) {
  if (!variable.starts_with(kEnvironmentPrefix)) {
    return "";
  }
  std::string name(variable.substr(kEnvironmentPrefix.size()));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name;
}

std::pair<std::string_view, std::string_view> SplitEntry(std::string_view entry) {
  const std::size_t equals = entry.find('=');
  return equals == std::string_view::npos
             ? std::pair(entry, std::string_view())
             : std::pair(entry.substr(0, equals), entry.substr(equals + 1));
}

std::vector<std::string> Environment() {
  std::vector<std::string> entries;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    entries.emplace_back(*entry);
  }
  return entries;
}

void WarnOfStrayVariables(const std::vector<std::string>& environment,
                          const std::vector<std::string>& known_flags) {
  for (const std::string& entry : environment) {
    const std::string_view variable = SplitEntry(entry).first;
    const std::string name = FlagNameOf(variable);
    if (!name.empty() && name != kFlagFile && !Contains(known_flags, name) &&
        !variable.starts_with(kTestPrefix)) {
      fmt::print(stderr, "warning: {} is no setting of this program and is ignored\n", variable);
    }
  }
}

// Sets one flag. Empty, or what is wrong.
std::string Apply(std::string_view text, const std::vector<std::string>& known_flags) {
  auto [name, value] = Split(text);
  if (name.empty()) {
    return fmt::format("unexpected word \"{}\": settings are written --flag=value", text);
  }
  if (name == kFlagFile) {
    return fmt::format("--flagfile: cannot read \"{}\" (a flag file cannot name another one)",
                       value.value_or(""));
  }
  if (!Contains(known_flags, name) && name.starts_with("no") && !value &&
      Contains(known_flags, name.substr(2)) && IsBoolean(name.substr(2))) {
    name.remove_prefix(2);
    value = "false";
  }
  absl::CommandLineFlag* flag = Contains(known_flags, name) ? FindFlag(name) : nullptr;
  if (flag == nullptr) {
    return fmt::format("--{}: unknown flag; --help lists them", name);
  }
  if (!value && !IsBoolean(name)) {
    return fmt::format("--{}: expected a value", name);
  }
  const std::string_view setting = value.value_or("true");
  std::string error;
  flag->ParseFrom(absl::string_view(setting.data(), setting.size()), &error);
  return error.empty() ? error : fmt::format("--{}: {}", name, error);
}

void PrintHelp(std::string_view usage, const std::vector<std::string>& known_flags) {
  fmt::print(
      "{}\n\nFlags (each may also be set as {}<FLAG> in the environment, or in a flag file):\n",
      usage, kEnvironmentPrefix);
  for (const std::string& name : known_flags) {
    if (const absl::CommandLineFlag* flag = FindFlag(name)) {
      fmt::print("  --{}\n      {} Default: \"{}\".\n", name, flag->Help(), flag->DefaultValue());
    }
  }
  fmt::print(
      "  --flagfile\n      A file with one --flag=value per line; # begins a comment.\n"
      "  --help\n      This text.\n"
      "  --version\n      The program's version.\n");
}

bool Asks(const std::vector<std::string>& words, std::string_view name) {
  for (const std::string& word : words) {
    if (word == "--") {
      return false;
    }
    const Word split = Split(word);
    if (split.name == name && !split.value) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::vector<std::string> OrderArguments(const std::vector<std::string>& command_line,
                                        const std::vector<std::string>& environment,
                                        const std::vector<std::string>& known_flags) {
  std::vector<std::string> files;
  std::vector<std::string> from_command_line;
  for (std::string& word : JoinValues(command_line, known_flags)) {
    const Word split = Split(word);
    if (split.name == kFlagFile && split.value) {
      files.emplace_back(*split.value);
    } else {
      from_command_line.push_back(std::move(word));
    }
  }
  std::vector<std::string> from_environment;
  std::string file_of_environment;
  for (const std::string& entry : environment) {
    const auto [variable, value] = SplitEntry(entry);
    const std::string name = FlagNameOf(variable);
    if (name == kFlagFile) {
      file_of_environment = value;
    } else if (Contains(known_flags, name)) {
      from_environment.push_back(fmt::format("--{}={}", name, value));
    }
  }
  if (files.empty() && !file_of_environment.empty()) {
    files.push_back(file_of_environment);
  }

  std::vector<std::string> ordered;
  for (const std::string& file : files) {
    AppendFlagFile(file, ordered);
  }
  ordered.insert(ordered.end(), from_environment.begin(), from_environment.end());
  ordered.insert(ordered.end(), from_command_line.begin(), from_command_line.end());
  return ordered;
}

std::optional<int> ParseFlags(int argc, char** argv, std::string_view usage,
                              const std::vector<std::string>& known_flags) {
  const std::vector<std::string> command_line(argv + std::min(argc, 1), argv + argc);
  if (Asks(command_line, "help")) {
    PrintHelp(usage, known_flags);
    return kExitClean;
  }
  if (Asks(command_line, "version")) {
    const std::string_view program = argc > 0 ? argv[0] : "voicebridge";
    fmt::print("{} {}\n", program.substr(program.rfind('/') + 1), VOICEBRIDGE_VERSION);
    return kExitClean;
  }
  const std::vector<std::string> environment = Environment();
  WarnOfStrayVariables(environment, known_flags);
  bool failed = false;
  for (const std::string& word : OrderArguments(command_line, environment, known_flags)) {
    const std::string problem = Apply(word, known_flags);
    if (!problem.empty()) {
      fmt::print(stderr, "{}\n", problem);
      failed = true;
    }
  }
  return failed ? std::optional<int>(kExitBadFlags) : std::nullopt;
}

void ConfigErrors::Add(std::string_view flag, std::string_view problem) {
  problems_.push_back(fmt::format("--{}: {}", flag, problem));
}

std::string ConfigErrors::ToString() const { return fmt::format("{}", fmt::join(problems_, "\n")); }

}  // namespace voicebridge

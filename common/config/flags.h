// Flags over environment over flag file, in Abseil's syntax.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace voicebridge {

// Orders the three sources so that the later wins in Abseil's parser: the words of --flagfile, then
// `--flag=value` for each VOICEBRIDGE_<FLAG> in `environment`, then the command line. A boolean
// flag may be set from the environment as true or false. `environment` entries are "NAME=value";
// `command_line` begins after the program's name, and its `--flag value` comes out as
// `--flag=value`.
std::vector<std::string> OrderArguments(const std::vector<std::string>& command_line,
                                        const std::vector<std::string>& environment,
                                        const std::vector<std::string>& known_flags);

// Parses into the ABSL_FLAGs of the program. nullopt: go on; else exit with this code at once
// (0 after --help or --version, 1 after a flag that cannot be parsed; the reason is on standard
// error). `known_flags`: the program's own flags, which are also what --help lists.
std::optional<int> ParseFlags(int argc, char** argv, std::string_view usage,
                              const std::vector<std::string>& known_flags);

// One complaint per problem, so that an operator sees all at once.
class ConfigErrors {
 public:
  void Add(std::string_view flag, std::string_view problem);
  bool empty() const { return problems_.empty(); }
  // One line each: `--flag: problem`.
  std::string ToString() const;

 private:
  std::vector<std::string> problems_;
};

// "HOST:PORT" with a numeric port; IPv6 in brackets. False: not of this form.
bool IsHostPort(std::string_view text);
bool IsLoopbackHostPort(std::string_view text);

}  // namespace voicebridge

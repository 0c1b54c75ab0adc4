// Collects the complaints about one profile file. Private to the parts of profiles.cc.
#pragma once

#include <absl/status/status.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/core/status.h"
#include "voicebridge/v1/profile.pb.h"

namespace voicebridge {

class ProfileChecker {
 public:
  explicit ProfileChecker(std::string_view file_name) : file_name_(file_name) {}

  template <class... Args>
  void Require(bool holds, std::string_view field, fmt::format_string<Args...> expectation,
               Args&&... args) {
    if (!holds) {
      problems_.push_back(fmt::format("{}: {}: {}", file_name_, field,
                                      fmt::format(expectation, std::forward<Args>(args)...)));
    }
  }

  // One of OpenAI's voices, or a custom one.
  void RequireVoice(const std::string& voice, std::string_view field);

  absl::Status Result() const {
    return problems_.empty() ? absl::OkStatus() : InvalidArgument("{}", fmt::join(problems_, "\n"));
  }

 private:
  std::string_view file_name_;
  std::vector<std::string> problems_;
};

// profile_tools.cc
void CheckTools(const v1::Profile& profile, ProfileChecker& checker);
void CheckAssessment(const v1::Assessment& assessment, ProfileChecker& checker);

}  // namespace voicebridge

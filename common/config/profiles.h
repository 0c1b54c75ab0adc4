// The profiles that a worker offers.
#pragma once

#include <absl/status/statusor.h>

#include <map>
#include <string>
#include <string_view>

#include "voicebridge/v1/profile.pb.h"

namespace voicebridge {

using Profiles = std::map<std::string, v1::Profile, std::less<>>;

// Parses and checks one file's text; errors name the file and the field, all of them at once.
absl::StatusOr<v1::Profile> ParseProfile(std::string_view file_name, std::string_view json_text);

// Every *.json of a directory. Errors of all files are reported together; an empty directory is
// one.
absl::StatusOr<Profiles> LoadProfiles(const std::string& directory);

}  // namespace voicebridge

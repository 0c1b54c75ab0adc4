// Files that flags name.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/flags.h"
#include "common/core/secret.h"

namespace voicebridge {

// A file as it was read.
struct NamedFile {
  std::string flag;
  std::string path;
  Secret text;  // Whatever it is: nothing of it belongs into a log.
};

// What files hold, and the files, which may change.
template <class Value>
struct Loaded {
  std::vector<NamedFile> files;
  Value value;
};

// nullopt: `errors` names flag and file. At most 1 MiB.
std::optional<NamedFile> ReadNamedFile(std::string_view flag, const std::string& path,
                                       ConfigErrors& errors);

}  // namespace voicebridge

// The files of keys, at start and whenever they change.
#pragma once

#include <optional>

#include "common/config/named_file.h"
#include "gateway/client/auth.h"

namespace voicebridge::gateway {

// nullopt: `errors` names flag, file and line.
std::optional<ApiKeys> ParseApiKeys(const NamedFile& file, ConfigErrors& errors);
std::optional<SigningKeys> ParseSigningKeys(const NamedFile& file, ConfigErrors& errors);

}  // namespace voicebridge::gateway

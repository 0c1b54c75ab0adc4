#include "gateway/key_files.h"

#include <utility>

#include "common/core/status.h"

namespace voicebridge::gateway {
namespace {

template <class Keys>
std::optional<Keys> Parse(const NamedFile& file, ConfigErrors& errors) {
  absl::StatusOr<Keys> keys = Keys::Parse(file.text.Reveal());
  if (!keys.ok()) {
    errors.Add(file.flag, fmt::format("\"{}\": {}", file.path, Message(keys.status())));
    return std::nullopt;
  }
  return *std::move(keys);
}

}  // namespace

std::optional<ApiKeys> ParseApiKeys(const NamedFile& file, ConfigErrors& errors) {
  return Parse<ApiKeys>(file, errors);
}

std::optional<SigningKeys> ParseSigningKeys(const NamedFile& file, ConfigErrors& errors) {
  return Parse<SigningKeys>(file, errors);
}

}  // namespace voicebridge::gateway

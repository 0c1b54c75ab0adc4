#include "common/config/named_file.h"

#include <fmt/format.h>

#include <cstddef>
#include <fstream>
#include <utility>

namespace voicebridge {
namespace {

constexpr std::size_t kBytesMax = 1U << 20U;

}  // namespace

std::optional<NamedFile> ReadNamedFile(std::string_view flag, const std::string& path,
                                       ConfigErrors& errors) {
  std::ifstream in(path, std::ios::binary);
  std::string text(kBytesMax + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in.eof() || in.bad()) {  // Also what cannot be opened, and a directory.
    errors.Add(flag, in.gcount() > static_cast<std::streamsize>(kBytesMax)
                         ? fmt::format("\"{}\": expected at most {} bytes", path, kBytesMax)
                         : fmt::format("cannot read \"{}\"", path));
    return std::nullopt;
  }
  text.resize(static_cast<std::size_t>(in.gcount()));
  text.shrink_to_fit();
  return NamedFile{std::string(flag), path, Secret(std::move(text))};
}

}  // namespace voicebridge

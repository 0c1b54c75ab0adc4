#include "common/process/listening.h"

#include <fmt/format.h>

#include <cstdio>

namespace voicebridge {

void AnnounceListener(std::string_view role, std::string_view address) {
  fmt::print("listening role={} addr={}\n", role, address);
  std::fflush(stdout);  // Scripts read it through a pipe, which stdio buffers.
}

}  // namespace voicebridge

// The line that tells scripts and tests where a listener is.
#pragma once

#include <string_view>

namespace voicebridge {

// `listening role=ROLE addr=HOST:PORT` on standard output, flushed. Roles: public, grpc, admin,
// ops, simulator.
void AnnounceListener(std::string_view role, std::string_view address);

}  // namespace voicebridge

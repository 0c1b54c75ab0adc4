// What gRPC says of itself. It says nothing else of a connection that it refused.
#pragma once

#include <functional>
#include <string_view>

namespace voicebridge {

struct GrpcLine {
  std::string_view file;  // Of gRPC's source, as in ".../chttp2_server.cc".
  bool is_error = false;
  std::string_view text;
};

// Any thread of gRPC's; calls may overlap, and must neither block nor call gRPC.
using HearGrpc = std::function<void(const GrpcLine&)>;

// Instead of gRPC's own lines on standard error, for the rest of the process. Lines for debugging
// are heard, too: there are a few for a connection and none for a frame.
void HearGrpcLog(HearGrpc hear);

}  // namespace voicebridge

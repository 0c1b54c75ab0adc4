// Writing JSON by hand, where a document tree would cost too much: logs and audio events.
#pragma once

#include <string>
#include <string_view>

namespace voicebridge {

// Appends `text` as a JSON string, quotes included. Bytes that are no UTF-8 become U+FFFD, so that
// the result is valid JSON whatever a peer has sent.
void AppendJsonString(std::string_view text, std::string& out);

}  // namespace voicebridge

// Writing JSON by hand, where a document tree would cost too much: logs and audio events; and the
// look at UTF-8 that it needs.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace voicebridge {

// Appends `text` as a JSON string, quotes included. Bytes that are no UTF-8 become U+FFFD, so that
// the result is valid JSON whatever a peer has sent.
void AppendJsonString(std::string_view text, std::string& out);

// Length of the UTF-8 character of more than one byte that begins at `i`; 0 when there is none.
std::size_t MultibyteLength(std::string_view text, std::size_t i);

}  // namespace voicebridge

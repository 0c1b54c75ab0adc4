// What a text column takes.
#pragma once

#include <string>
#include <string_view>

namespace voicebridge::worker {

// PostgreSQL holds neither NUL nor text that is not UTF-8. Each such byte becomes U+FFFD, in both
// databases, so that one bad byte does not lose the rest.
std::string StorableText(std::string_view text);

}  // namespace voicebridge::worker

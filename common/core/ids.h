// Random identifiers in the shape that OpenAI uses: prefix, underscore, 21 base62 characters.
#pragma once

#include <string>
#include <string_view>

namespace voicebridge {

// From the system's random source; safe to call from any thread. 125 bits: unguessable, never
// reused.
std::string NewId(std::string_view prefix);

}  // namespace voicebridge

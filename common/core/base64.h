// Standard base64 with padding (RFC 4648 section 4), as OpenAI's audio events carry it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace voicebridge {

// Appends to `out`, which keeps its capacity when it is reused.
void AppendBase64(std::string_view bytes, std::string& out);

// Strict: the alphabet, complete groups of four, canonical padding. nullopt for anything else.
std::optional<std::string> DecodeBase64(std::string_view text);

}  // namespace voicebridge

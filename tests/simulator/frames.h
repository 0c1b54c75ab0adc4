// WebSocket frames of a server, and how to cut them up.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace voicebridge::simulator {

// One text message in one frame, unmasked.
std::string TextFrame(std::string_view payload);

// The same message in frames of 1 byte, a half, the rest and nothing; cuts go through characters.
std::vector<std::string> FragmentedText(std::string_view payload);

// Pieces of 1, 2, 4, ... bytes, so that every part of a header is cut and long frames are not slow.
std::vector<std::string_view> PiecesOf(std::string_view bytes);

}  // namespace voicebridge::simulator

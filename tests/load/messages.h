// The few messages of the Realtime protocol that make up the load, written and read without a tree.
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace voicebridge::load {

enum class Wire { kJson, kBinary };

std::string_view SubprotocolOf(Wire wire);

// The user's audio as one message of either wire; `out` is reused.
void WriteInputAudio(Wire wire, std::string_view pcm, std::string& out);

// The base64 of an input_audio_buffer.append; nullopt: the message is something else.
std::optional<std::string_view> FindAppendedAudio(std::string_view text);
// The base64 of a response.output_audio.delta; nullopt: the message is something else.
std::optional<std::string_view> FindAudioDelta(std::string_view text);

// The PCM of a binary frame from a server; nullopt: of another kind, or cut short.
std::optional<std::string_view> FindOutputAudio(std::string_view frame);

}  // namespace voicebridge::load

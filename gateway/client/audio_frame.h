// Audio on the wire of subprotocol voicebridge.binary.v1. All other events stay JSON text. Pure.
//
// A binary message is a header and raw PCM16 (24 kHz, mono, little-endian). Header, little-endian:
//
//   bytes 0      kind: 1 input audio (client to server), 2 output audio (server to client)
//         1      flags: 0; a reader ignores them
//         2-3    header_bytes, even: where the PCM begins. A reader goes by it, so that later
//                versions may add fields.
//   of kind 2:
//         4-5    output_index
//         6-7    content_index
//         8-11   first_sample: position of the first sample within the content part
//         12-13  length of response_id
//         14-15  length of item_id
//         16-    response_id, item_id (UTF-8), then zeros up to an even length
//
// Kind 1 stands for input_audio_buffer.append, kind 2 for response.output_audio.delta.
#pragma once

#include <string>
#include <string_view>

#include "gateway/client/client_protocol.h"
#include "voicebridge/v1/bridge.pb.h"

namespace voicebridge::gateway {

inline constexpr std::string_view kBinarySubprotocol = "voicebridge.binary.v1";

// How a client's audio travels, in both directions.
enum class AudioFraming { kJson, kBinary };

// DecodedAudio or DecodeError.
Decoded DecodeAudioFrame(std::string_view message);

// Replaces `out`, which the caller reuses. False: an id or index does not fit the header; the event
// then travels as JSON.
bool EncodeAudioFrame(const v1::ServerAudio& audio, std::string& out);

}  // namespace voicebridge::gateway

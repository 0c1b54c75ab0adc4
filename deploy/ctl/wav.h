// Sound files in and out of the one format that voicebridge speaks: PCM16, mono, 24 kHz.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <string>
#include <string_view>

namespace voicebridge::ctl {

// The whole file as raw PCM. Channels are averaged and other rates resampled; a file that is
// already PCM16, mono, 24 kHz passes bit by bit. INVALID_ARGUMENT says what is wrong with the file:
// not there, no sound file, empty, shorter than the 100 ms that a turn needs, longer than ten
// minutes.
absl::StatusOr<std::string> ReadSpeech(const std::string& path);

// `pcm` as a WAV file.
absl::Status WriteWav(const std::string& path, std::string_view pcm);

}  // namespace voicebridge::ctl

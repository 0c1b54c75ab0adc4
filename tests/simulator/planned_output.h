// One output of a response, decided before it is generated.
#pragma once

#include <string>

namespace voicebridge::simulator {

struct PlannedOutput {
  enum class Kind { kSpeech, kText, kCall };

  Kind kind = Kind::kSpeech;
  std::string text;  // Spoken, written, or the arguments of the call.
  std::string name = {};
};

}  // namespace voicebridge::simulator

// Why the service refuses a client event.
#pragma once

#include <string>

namespace voicebridge::simulator {

// The fields of an `error` event that the refusal decides. An empty param stands for null.
struct Refusal {
  std::string code;
  std::string message;
  std::string param = {};
};

}  // namespace voicebridge::simulator

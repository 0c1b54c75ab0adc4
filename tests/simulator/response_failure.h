// How a response ends that does not come to its end.
#pragma once

#include <string>
#include <string_view>

#include "common/json/json.h"

namespace voicebridge::simulator {

struct ResponseFailure {
  std::string status;
  json::value details;
  bool after_output = false;  // The output begins, and comes out incomplete.
};

// As the live service words it; `name` is an argument of the fault response_fail.
ResponseFailure FailureNamed(std::string_view name, std::string_view model);

}  // namespace voicebridge::simulator

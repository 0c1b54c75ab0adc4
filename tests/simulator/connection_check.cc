#include "tests/simulator/connection_check.h"

#include "common/core/status.h"
#include "tests/simulator/strictness.h"

namespace voicebridge::simulator {
namespace {

constexpr std::size_t kShownOfKey = 4;

std::string Masked(const std::string& key) {
  return key.size() <= 2 * kShownOfKey ? "****" : "****" + key.substr(key.size() - kShownOfKey);
}

}  // namespace

ConnectionRefusal BadKey(const std::string& key) {
  return {{"invalid_api_key",
           fmt::format("Incorrect API key provided: {}. You can find your API key at "
                       "https://platform.openai.com/account/api-keys.",
                       Masked(key))},
          3000};
}

std::optional<ConnectionRefusal> CheckConnection(const ConnectionRequest& request) {
  if (request.key == "bad-key") {
    return BadKey(request.key);
  }
  if (request.beta_header) {
    return ConnectionRefusal{{"beta_api_shape_disabled",
                              "The Realtime Beta API is no longer supported. Please use "
                              "/v1/realtime for the GA API."}};
  }
  if (request.model.empty()) {
    return ConnectionRefusal{{"missing_model",
                              "You must provide a model parameter, for example "
                              "wss://api.openai.com/v1/realtime?model=gpt-realtime-2.1"}};
  }
  if (!IsRealtimeModel(request.model) && request.model != kEchoModel) {
    return ConnectionRefusal{
        {"invalid_model", fmt::format("Model \"{}\" is not supported in realtime mode. Supported "
                                      "models are listed at "
                                      "https://platform.openai.com/docs/models.",
                                      request.model)}};
  }
  return std::nullopt;
}

}  // namespace voicebridge::simulator

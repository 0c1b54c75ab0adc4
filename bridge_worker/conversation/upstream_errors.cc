#include "bridge_worker/conversation/upstream_errors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace voicebridge::worker {
namespace {

struct Refusal {
  std::string_view code;
  std::string_view meaning;
};

constexpr std::array kRefusals = std::to_array<Refusal>({
    {"account_deactivated", "the account is deactivated"},
    {"beta_api_shape_disabled", "it no longer offers the interface that was asked for"},
    {"billing_hard_limit_reached", "the account's billing limit is reached"},
    {"insufficient_quota", "the account's quota is used up"},
    {"invalid_api_key", "the API key was not accepted"},
    {"invalid_model", "it does not offer the model in realtime sessions"},
    {"missing_model", "no model was named"},
    {"model_not_found", "it does not know the model"},
});

const Refusal* FindRefusal(std::string_view code) {
  const auto* found = std::find_if(kRefusals.begin(), kRefusals.end(),
                                   [&](const Refusal& refusal) { return refusal.code == code; });
  return found == kRefusals.end() ? nullptr : found;
}

// The service refuses for good with these.
bool IsRefusalClose(std::uint16_t close_code) {
  return close_code == 3000 || close_code == 1008 || (close_code >= 4000 && close_code <= 4999);
}

}  // namespace

std::string_view QuotableCode(std::string_view code) {
  const bool plain = std::all_of(code.begin(), code.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
  return plain && !code.empty() && code.size() <= 64 ? code : "unnamed";
}

bool IsRefusal(std::string_view code) { return FindRefusal(code) != nullptr; }

UpstreamFailure FailureOfCode(std::string_view code) {
  if (const Refusal* refusal = FindRefusal(code)) {
    return {v1::END_REASON_UPSTREAM_REFUSED,
            fmt::format("The upstream refused the session: {} ({}).", refusal->meaning, code)};
  }
  return {v1::END_REASON_UPSTREAM_UNAVAILABLE,
          fmt::format("The upstream could not start the session: it reported an error ({}).",
                      QuotableCode(code))};
}

UpstreamFailure FailureOfCloseBeforeReady(std::uint16_t close_code) {
  const bool refused = IsRefusalClose(close_code);
  return {refused ? v1::END_REASON_UPSTREAM_REFUSED : v1::END_REASON_UPSTREAM_UNAVAILABLE,
          fmt::format("The upstream {} (close code {}).",
                      refused ? "refused the session"
                              : "closed the connection before the session was ready",
                      close_code)};
}

UpstreamFailure FailureOfClose(std::uint16_t close_code, bool session_expired) {
  if (session_expired) {
    return {v1::END_REASON_SESSION_LIMIT,
            fmt::format("The upstream ended the session at its longest duration (close code {}).",
                        close_code)};
  }
  if (IsRefusalClose(close_code)) {
    return {
        v1::END_REASON_UPSTREAM_REFUSED,
        fmt::format("The upstream refused to go on with the session (close code {}).", close_code)};
  }
  return {v1::END_REASON_UPSTREAM_LOST,
          fmt::format("The connection to the upstream was lost (close code {}).", close_code)};
}

}  // namespace voicebridge::worker

#include "gateway/http/refusals.h"

#include "gateway/http/responses.h"

namespace voicebridge::gateway {
namespace {

constexpr std::int64_t kLinesAtOnce = 50;
constexpr std::int64_t kLinesPerSecond = 5;
// The paths that are refused are short; a session's id is a part of some.
constexpr std::size_t kPathMax = 128;

}  // namespace

Refusals::Refusals(Logger& logger, RefusalCounters& counters)
    : logger_(logger),
      counters_(counters),
      lines_(Rate::Of(kLinesPerSecond, seconds(1), kLinesAtOnce)) {}

HttpResponse Refusals::Refuse(const Refusal& refusal, const HttpRequest& request,
                              const IpAddress& client) {
  Record(refusal, request.path, client);
  return ResponseTo(refusal);
}

void Refusals::Record(const Refusal& refusal, std::string_view path, const IpAddress& client) {
  counters_.Count(refusal.reason);
  const std::optional<std::int64_t> left_out = AdmitLine();
  if (left_out) {
    logger_.Info("request.refused", {{"reason", RefusalTraitsOf(refusal.reason).word},
                                     {"address", client.ToString()},
                                     {"path", path.substr(0, kPathMax)},
                                     {"key", refusal.key},
                                     {"secret", refusal.secret_id},
                                     {"left_out", *left_out}});
  }
}

std::optional<std::int64_t> Refusals::AdmitLine() {
  const TimePoint now = clock_.Now();
  const std::lock_guard lock(mutex_);
  return lines_.Admit(now);
}

}  // namespace voicebridge::gateway

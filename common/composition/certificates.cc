#include "common/composition/certificates.h"

#include <absl/time/time.h>

#include "common/core/wall_clock.h"

namespace voicebridge {
namespace {

std::string DateOf(std::int64_t unix_seconds) {
  return absl::FormatTime(absl::RFC3339_sec, absl::FromUnixSeconds(unix_seconds),
                          absl::UTCTimeZone());
}

}  // namespace

Certificates::Certificates(ProcessRegistry& registry, const std::string& prefix, Logger& logger)
    : logger_(logger),
      family_(prometheus::BuildGauge()
                  .Name(prefix + "_certificate_seconds_left")
                  .Help("Until the certificate of a listener expires; negative once it has.")
                  .Register(registry)) {
  registry.OnCollect([this] { Refresh(); });
}

void Certificates::InForce(std::string_view event, const std::string& listener,
                           const CertificateFacts& facts) {
  {
    const std::lock_guard lock(mutex_);
    by_listener_[listener] = {&family_.Add({{"listener", listener}}), facts.expires_at};
  }
  const std::int64_t left = facts.expires_at - UnixNow();
  const std::string date = DateOf(facts.expires_at);
  logger_.Log(left > 0 ? LogLevel::kInfo : LogLevel::kError, event,
              {{"listener", listener},
               {"subject", facts.subject},
               {"expires", date},
               {"seconds_left", left}});
}

void Certificates::Refresh() {
  const std::int64_t now = UnixNow();
  const std::lock_guard lock(mutex_);
  for (const auto& [listener, entry] : by_listener_) {
    entry.seconds_left->Set(static_cast<double>(entry.expires_at - now));
  }
}

}  // namespace voicebridge

// How long the certificates of a process are good for: for the log, and for those on call.
#pragma once

#include <prometheus/family.h>
#include <prometheus/gauge.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "common/core/certificate.h"
#include "common/observability/log.h"
#include "common/observability/metrics.h"

namespace voicebridge {

// Owned by the composition root. InForce is called on one thread at a time, scrapes may overlap.
class Certificates {
 public:
  // `prefix`: as in voicebridge_worker. The registry outlives it, and is scraped while it lives.
  Certificates(ProcessRegistry& registry, const std::string& prefix, Logger& logger);

  // `event`: certificate.loaded or certificate.reloaded. `listener`: public or peer.
  void InForce(std::string_view event, const std::string& listener, const CertificateFacts& facts);

 private:
  struct Entry {
    prometheus::Gauge* seconds_left;
    std::int64_t expires_at;
  };

  void Refresh();

  Logger& logger_;
  prometheus::Family<prometheus::Gauge>& family_;
  std::mutex mutex_;
  std::map<std::string, Entry> by_listener_;
};

}  // namespace voicebridge

#include "common/observability/metrics.h"

namespace voicebridge {

prometheus::Counter& AddCounter(prometheus::Registry& registry, const std::string& name,
                                const std::string& help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({});
}

prometheus::Gauge& AddGauge(prometheus::Registry& registry, const std::string& name,
                            const std::string& help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

EndReasonCounters::EndReasonCounters(prometheus::Registry& registry, const std::string& name,
                                     const std::string& help) {
  auto& family = prometheus::BuildCounter().Name(name).Help(help).Register(registry);
  for (std::size_t i = 1; i < by_reason_.size(); ++i) {
    const std::string word(TraitsOf(static_cast<EndReason>(i)).word);
    by_reason_[i] = &family.Add({{"reason", word}});
  }
  by_reason_[0] = by_reason_[static_cast<std::size_t>(v1::END_REASON_INTERNAL)];
}

}  // namespace voicebridge

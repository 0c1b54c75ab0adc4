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

void SetTo(prometheus::Counter& counter, std::int64_t total) {
  counter.Increment(static_cast<double>(total) - counter.Value());
}

prometheus::Histogram& AddWaitHistogram(prometheus::Registry& registry, const std::string& name,
                                        const std::string& help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry).Add(
      {},
      prometheus::Histogram::BucketBoundaries{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10});
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

// Prometheus metrics: a component's metrics are one struct that is handed to it.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "common/core/end_reason.h"

namespace voicebridge {

// A registry that brings gauges up to date just before it is read, so that nothing has to be pushed
// from the frame path.
class ProcessRegistry final : public prometheus::Registry {
 public:
  // `refresh` is called on the thread that scrapes, and sets gauges from atomics. Before the first
  // scrape.
  void OnCollect(std::function<void()> refresh) { refreshes_.push_back(std::move(refresh)); }

  std::vector<prometheus::MetricFamily> Collect() const override {
    for (const std::function<void()>& refresh : refreshes_) {
      refresh();
    }
    return prometheus::Registry::Collect();
  }

 private:
  std::vector<std::function<void()>> refreshes_;
};

// A family without labels, looked up once; lives as long as the registry.
prometheus::Counter& AddCounter(prometheus::Registry& registry, const std::string& name,
                                const std::string& help);
prometheus::Gauge& AddGauge(prometheus::Registry& registry, const std::string& name,
                            const std::string& help);

// Brings a counter to a total that is kept elsewhere. For OnCollect.
void SetTo(prometheus::Counter& counter, std::int64_t total);

// Of what people wait for: 10 ms to 10 s.
prometheus::Histogram& AddWaitHistogram(prometheus::Registry& registry, const std::string& name,
                                        const std::string& help);

// One counter per end reason, looked up once: a closed set of labels.
class EndReasonCounters {
 public:
  EndReasonCounters(prometheus::Registry& registry, const std::string& name,
                    const std::string& help);
  // One that only a newer peer knows counts as internal.
  void Count(EndReason reason) {
    const bool is_known = v1::EndReason_IsValid(reason);
    by_reason_[static_cast<std::size_t>(is_known ? reason : v1::END_REASON_INTERNAL)]->Increment();
  }

 private:
  std::array<prometheus::Counter*, v1::EndReason_ARRAYSIZE> by_reason_{};
};

}  // namespace voicebridge

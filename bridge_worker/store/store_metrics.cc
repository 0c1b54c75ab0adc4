#include "bridge_worker/store/store_metrics.h"

namespace voicebridge::worker {
namespace {

constexpr std::array kWords{"unavailable", "failed", "late", "refused"};  // As StoreFailure.

prometheus::Histogram& JobHistogram(prometheus::Registry& registry) {
  return prometheus::BuildHistogram()
      .Name("voicebridge_worker_store_job_seconds")
      .Help("Jobs of the store, from being given to their end; they wait for each other.")
      .Register(registry)
      .Add({}, prometheus::Histogram::BucketBoundaries{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                       0.25, 0.5, 1, 5, 30});
}

}  // namespace

StoreMetrics::StoreMetrics(prometheus::Registry& registry) : job_seconds_(JobHistogram(registry)) {
  auto& family = prometheus::BuildCounter()
                     .Name("voicebridge_worker_store_failures_total")
                     .Help(
                         "Attempts that did not reach the database or were not taken by it; jobs "
                         "that were given up or refused.")
                     .Register(registry);
  for (std::size_t i = 0; i < failures_.size(); ++i) {
    failures_[i] = &family.Add({{"failure", kWords[i]}});
  }
}

}  // namespace voicebridge::worker

#include "common/composition/drain_metrics.h"

#include "common/async/clock.h"
#include "common/core/time.h"

namespace voicebridge {
namespace {

void SetTo(prometheus::Counter& counter, std::int64_t total) {
  counter.Increment(static_cast<double>(total) - counter.Value());
}

}  // namespace

void AddDrainMetrics(ProcessRegistry& registry, const std::string& prefix,
                     const DrainState& state) {
  auto& draining =
      AddGauge(registry, prefix + "_draining", "1 from the start of a drain, also once drained.");
  auto& left = AddGauge(registry, prefix + "_drain_seconds_left",
                        "Time left of the drain that is under way; 0 when none is.");
  auto& stored = AddCounter(registry, prefix + "_drain_stored_total",
                            "Sessions that a drain has told and closed in good order.");
  auto& forced = AddCounter(registry, prefix + "_drain_forced_total",
                            "Sessions that a drain has cut off, or of which a record was lost.");
  registry.OnCollect([&state, &draining, &left, &stored, &forced] {
    draining.Set(state.draining() ? 1 : 0);
    left.Set(ToSeconds(state.TimeLeft(SystemClock().Now())));
    SetTo(stored, state.stored());
    SetTo(forced, state.forced());
  });
}

}  // namespace voicebridge

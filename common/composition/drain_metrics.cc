#include "common/composition/drain_metrics.h"

#include "common/async/clock.h"
#include "common/core/time.h"

namespace voicebridge {

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
  auto& took = AddGauge(registry, prefix + "_last_drain_seconds",
                        "How long the last drain took; 0 before there was one.");
  registry.OnCollect([&state, &draining, &left, &stored, &forced, &took] {
    draining.Set(state.draining() ? 1 : 0);
    left.Set(ToSeconds(state.TimeLeft(SystemClock().Now())));
    SetTo(stored, state.stored());
    SetTo(forced, state.forced());
    took.Set(ToSeconds(state.took()));
  });
}

}  // namespace voicebridge

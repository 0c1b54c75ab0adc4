#include "common/composition/shard_metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "common/core/latency_probe.h"
#include "common/core/shard_meter.h"

namespace voicebridge {
namespace {

prometheus::Histogram::BucketBoundaries Bounds() {
  prometheus::Histogram::BucketBoundaries bounds;
  for (const Duration bound : LocalHistogram::kBounds) {
    bounds.push_back(ToSeconds(bound));
  }
  return bounds;
}

// Carries over what a histogram of a shard has counted since the last time.
class HistogramCopy {
 public:
  HistogramCopy(const LocalHistogram& from, prometheus::Histogram& to) : from_(from), to_(to) {}

  void Update() {
    std::vector<double> increments(LocalHistogram::kBuckets);
    for (std::size_t i = 0; i < increments.size(); ++i) {
      const std::int64_t now = from_.bucket(i);
      increments[i] = static_cast<double>(now - std::exchange(buckets_[i], now));
    }
    const Duration sum = from_.sum();
    to_.ObserveMultiple(increments, ToSeconds(sum - std::exchange(sum_, sum)));
  }

 private:
  const LocalHistogram& from_;
  prometheus::Histogram& to_;
  std::array<std::int64_t, LocalHistogram::kBuckets> buckets_{};
  Duration sum_{};
};

using Copies = std::vector<HistogramCopy>;

void UpdateOnCollect(ProcessRegistry& registry, Copies copies) {
  registry.OnCollect([copies = std::move(copies)]() mutable {
    for (HistogramCopy& copy : copies) {
      copy.Update();
    }
  });
}

void AddLag(ProcessRegistry& registry, const std::string& prefix, ShardGroup& shards) {
  auto& family = prometheus::BuildHistogram()
                     .Name(prefix + "_loop_lag_seconds")
                     .Help(
                         "How much later than it meant to a shard's loop came round: how late "
                         "frames and timers may be.")
                     .Register(registry);
  Copies copies;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    copies.emplace_back(shards[i].meter().lag(),
                        family.Add({{"shard", std::to_string(i)}}, Bounds()));
  }
  UpdateOnCollect(registry, std::move(copies));
}

void AddStates(ProcessRegistry& registry, const std::string& prefix, ShardGroup& shards) {
  static constexpr std::array<std::pair<SessionState, const char*>, kSessionStates> kStates{
      {{SessionState::kConnecting, "connecting"},
       {SessionState::kLive, "live"},
       {SessionState::kClosing, "closing"}}};
  auto& family = prometheus::BuildGauge()
                     .Name(prefix + "_sessions_by_state")
                     .Help("Sessions until the client may speak, while it may, while they end.")
                     .Register(registry);
  for (const auto& [state, word] : kStates) {
    auto& gauge = family.Add({{"state", word}});
    registry.OnCollect([&shards, &gauge, each = state] {
      std::int64_t sum = 0;
      for (std::size_t i = 0; i < shards.size(); ++i) {
        sum += shards[i].meter().sessions(each);
      }
      gauge.Set(static_cast<double>(sum));
    });
  }
}

// The families that both ways share.
struct WayFamilies {
  prometheus::Family<prometheus::Histogram>& relay;
  prometheus::Family<prometheus::Counter>& read_pauses;
  prometheus::Family<prometheus::Gauge>& queued;
  prometheus::Family<prometheus::Gauge>& queued_max;
};

WayFamilies AddFamilies(ProcessRegistry& registry, const std::string& prefix) {
  return {prometheus::BuildHistogram()
              .Name(prefix + "_relay_seconds")
              .Help(fmt::format("How long a frame of audio stayed in this process, from read to "
                                "written; one in {} is timed.",
                                LatencyProbe::kOneIn))
              .Register(registry),
          prometheus::BuildCounter()
              .Name(prefix + "_read_pauses_total")
              .Help("A queue towards this peer was full, and reading what fills it paused.")
              .Register(registry),
          prometheus::BuildGauge()
              .Name(prefix + "_queued_bytes")
              .Help("What waits for this peer, all sessions; looked at once a second.")
              .Register(registry),
          prometheus::BuildGauge()
              .Name(prefix + "_queued_bytes_max")
              .Help("What waits for this peer, of the session with most; looked at once a second.")
              .Register(registry)};
}

void AddWay(ProcessRegistry& registry, const std::string& prefix, const WayWords& words, Way way,
            const WayFamilies& families, ShardGroup& shards) {
  auto& frames =
      AddCounter(registry, fmt::format("{}_audio_frames_{}_total", prefix, words.traffic),
                 "Audio frames, one message each.");
  auto& bytes = AddCounter(registry, fmt::format("{}_audio_bytes_{}_total", prefix, words.traffic),
                           "PCM bytes in these frames.");
  const prometheus::Labels to{{"to", std::string(words.peer)}};
  auto& pauses = families.read_pauses.Add(to);
  auto& queued = families.queued.Add(to);
  auto& queued_max = families.queued_max.Add(to);
  registry.OnCollect([&frames, &bytes, &pauses, &queued, &queued_max, &shards, way] {
    std::array<std::int64_t, 4> sums{};
    std::int64_t most = 0;
    for (std::size_t i = 0; i < shards.size(); ++i) {
      const WayMeter& meter = shards[i].meter().way(way);
      sums[0] += meter.audio_frames.value();
      sums[1] += meter.audio_bytes.value();
      sums[2] += meter.read_pauses.value();
      sums[3] += meter.queued_bytes.value();
      most = std::max(most, meter.queued_bytes_max.value());
    }
    SetTo(frames, sums[0]);
    SetTo(bytes, sums[1]);
    SetTo(pauses, sums[2]);
    queued.Set(static_cast<double>(sums[3]));
    queued_max.Set(static_cast<double>(most));
  });
  auto& relay = families.relay.Add(to, Bounds());
  Copies copies;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    copies.emplace_back(shards[i].meter().way(way).relay, relay);
  }
  UpdateOnCollect(registry, std::move(copies));
}

}  // namespace

void AddShardMetrics(ProcessRegistry& registry, const ShardMetricWords& words, ShardGroup& shards) {
  AddLag(registry, words.prefix, shards);
  AddStates(registry, words.prefix, shards);
  const WayFamilies families = AddFamilies(registry, words.prefix);
  AddWay(registry, words.prefix, words.up, Way::kUp, families, shards);
  AddWay(registry, words.prefix, words.down, Way::kDown, families, shards);
}

}  // namespace voicebridge

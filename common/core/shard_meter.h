// What a shard tells the operator of its loop, its sessions and their frames.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <utility>

#include "common/core/local_count.h"
#include "common/core/time.h"

namespace voicebridge {

// The way of a frame: from the client to the model, or back.
enum class Way { kUp, kDown };
inline constexpr std::size_t kWays = 2;

// Where a session stands: until the client may speak, while it may, while it is being ended.
enum class SessionState { kConnecting, kLive, kClosing };
inline constexpr std::size_t kSessionStates = 3;

struct WayMeter {
  LocalCount audio_frames;
  LocalCount audio_bytes;       // PCM.
  LocalHistogram relay;         // From read to written, of one frame in LatencyProbe::kOneIn.
  LocalCount read_pauses;       // A queue was full, and whoever fills it waited.
  LocalCount queued_bytes;      // Of all sessions, at the last look.
  LocalCount queued_bytes_max;  // Of one of them.
};

class SessionMeter;

// Changed on the shard's thread only, so that a frame costs a few plain additions; read by any.
class ShardMeter {
 public:
  WayMeter& way(Way way) { return ways_[static_cast<std::size_t>(way)]; }
  const WayMeter& way(Way way) const { return ways_[static_cast<std::size_t>(way)]; }
  const LocalHistogram& lag() const { return lag_; }
  std::int64_t sessions(SessionState state) const {
    return sessions_[static_cast<std::size_t>(state)].value();
  }

  // After each turn of the loop, which came `lag` later than it was to. Once a second all queues
  // are looked at.
  void TurnEnded(TimePoint now, Duration lag) {
    lag_.Observe(lag);
    if (now >= next_look_) {
      next_look_ = now + seconds(1);
      LookAtQueues();
    }
  }

 private:
  friend class SessionMeter;
  using Present = std::list<const SessionMeter*>;

  void LookAtQueues();
  LocalCount& count(SessionState state) { return sessions_[static_cast<std::size_t>(state)]; }

  std::array<WayMeter, kWays> ways_;
  std::array<LocalCount, kSessionStates> sessions_;
  LocalHistogram lag_;
  Present present_;
  TimePoint next_look_;
};

// A session is counted by its shard for as long as this lives. Owned by the session.
class SessionMeter {
 public:
  struct Traffic {
    std::int64_t frames = 0;
    std::int64_t bytes = 0;
  };
  using QueuedBytes = std::function<std::array<std::size_t, kWays>()>;

  // `queued` tells what waits in the session's queues, by way.
  SessionMeter(ShardMeter& shard, QueuedBytes queued)
      : shard_(shard),
        queued_(std::move(queued)),
        place_(shard.present_.insert(shard.present_.end(), this)) {
    shard_.count(state_).Add(1);
  }
  ~SessionMeter() {
    shard_.count(state_).Add(-1);
    shard_.present_.erase(place_);
  }
  SessionMeter(const SessionMeter&) = delete;
  SessionMeter& operator=(const SessionMeter&) = delete;

  void Become(SessionState state) {
    shard_.count(state_).Add(-1);
    state_ = state;
    shard_.count(state_).Add(1);
  }

  void CountAudio(Way way, std::size_t bytes) {
    WayMeter& meter = shard_.way(way);
    meter.audio_frames.Add(1);
    meter.audio_bytes.Add(static_cast<std::int64_t>(bytes));
    Traffic& own = traffic_[static_cast<std::size_t>(way)];
    ++own.frames;
    own.bytes += static_cast<std::int64_t>(bytes);
  }
  // Of this session, for the last line of its log.
  const Traffic& traffic(Way way) const { return traffic_[static_cast<std::size_t>(way)]; }

  std::array<std::size_t, kWays> queued() const { return queued_(); }

 private:
  ShardMeter& shard_;
  const QueuedBytes queued_;
  const ShardMeter::Present::iterator place_;
  SessionState state_ = SessionState::kConnecting;
  std::array<Traffic, kWays> traffic_;
};

inline void ShardMeter::LookAtQueues() {
  std::array<std::size_t, kWays> sum{};
  std::array<std::size_t, kWays> most{};
  for (const SessionMeter* session : present_) {
    const auto queued = session->queued();
    for (std::size_t i = 0; i < kWays; ++i) {
      sum[i] += queued[i];
      most[i] = std::max(most[i], queued[i]);
    }
  }
  for (std::size_t i = 0; i < kWays; ++i) {
    ways_[i].queued_bytes.Set(static_cast<std::int64_t>(sum[i]));
    ways_[i].queued_bytes_max.Set(static_cast<std::int64_t>(most[i]));
  }
}

}  // namespace voicebridge

// What a shard tells of its sessions, frames and loop.
#include "common/core/shard_meter.h"

#include <gtest/gtest.h>

#include <optional>

#include "common/core/answer_timer.h"
#include "common/core/latency_probe.h"

namespace voicebridge {
namespace {

constexpr TimePoint kStart{seconds(1000)};

TEST(LocalHistogram, PutsEachDurationIntoTheFirstBucketThatHoldsIt) {
  LocalHistogram histogram;
  histogram.Observe(Duration::zero());
  histogram.Observe(microseconds(250));
  histogram.Observe(microseconds(251));
  histogram.Observe(seconds(1));
  histogram.Observe(seconds(2));
  EXPECT_EQ(histogram.bucket(0), 2);
  EXPECT_EQ(histogram.bucket(1), 1);
  EXPECT_EQ(histogram.bucket(LocalHistogram::kBuckets - 2), 1);
  EXPECT_EQ(histogram.bucket(LocalHistogram::kBuckets - 1), 1) << "beyond all bounds";
  EXPECT_EQ(histogram.sum(), seconds(3) + microseconds(501));
}

struct Session {
  Session(ShardMeter& shard, std::size_t up, std::size_t down)
      : meter(shard, [up, down] {
          return std::array{up, down};
        }) {}
  SessionMeter meter;
};

TEST(ShardMeter, CountsSessionsByTheirState) {
  ShardMeter shard;
  {
    Session first(shard, 0, 0);
    Session second(shard, 0, 0);
    second.meter.Become(SessionState::kLive);
    EXPECT_EQ(shard.sessions(SessionState::kConnecting), 1);
    EXPECT_EQ(shard.sessions(SessionState::kLive), 1);
    second.meter.Become(SessionState::kClosing);
    EXPECT_EQ(shard.sessions(SessionState::kLive), 0);
    EXPECT_EQ(shard.sessions(SessionState::kClosing), 1);
  }
  EXPECT_EQ(shard.sessions(SessionState::kConnecting), 0);
  EXPECT_EQ(shard.sessions(SessionState::kClosing), 0);
}

TEST(ShardMeter, LooksAtQueuesOnceASecond) {
  ShardMeter shard;
  std::optional<Session> small(std::in_place, shard, 10, 1);
  const Session large(shard, 20, 2);
  shard.TurnEnded(kStart, milliseconds(1));
  EXPECT_EQ(shard.way(Way::kUp).queued_bytes.value(), 30);
  EXPECT_EQ(shard.way(Way::kUp).queued_bytes_max.value(), 20);
  EXPECT_EQ(shard.way(Way::kDown).queued_bytes.value(), 3);
  small.reset();
  shard.TurnEnded(kStart + milliseconds(999), Duration::zero());
  EXPECT_EQ(shard.way(Way::kUp).queued_bytes.value(), 30) << "not yet";
  shard.TurnEnded(kStart + seconds(1), Duration::zero());
  EXPECT_EQ(shard.way(Way::kUp).queued_bytes.value(), 20);
  EXPECT_EQ(shard.lag().bucket(0), 2);
}

TEST(ShardMeter, AudioCountsForTheShardAndForTheSession) {
  ShardMeter shard;
  Session first(shard, 0, 0);
  Session second(shard, 0, 0);
  first.meter.CountAudio(Way::kUp, 100);
  second.meter.CountAudio(Way::kUp, 11);
  second.meter.CountAudio(Way::kDown, 7);
  EXPECT_EQ(shard.way(Way::kUp).audio_frames.value(), 2);
  EXPECT_EQ(shard.way(Way::kUp).audio_bytes.value(), 111);
  EXPECT_EQ(second.meter.traffic(Way::kUp).frames, 1);
  EXPECT_EQ(second.meter.traffic(Way::kUp).bytes, 11);
  EXPECT_EQ(first.meter.traffic(Way::kDown).frames, 0);
}

// Reads, queues and writes a frame; whether it was timed.
bool Passes(LatencyProbe& probe, std::uint64_t number, TimePoint now) {
  if (probe.IsDue()) {
    probe.Read(now);
  }
  probe.Queued(number);
  probe.Handled();
  return probe.Written(number).has_value();
}

TEST(LatencyProbe, TimesOneFrameInSixteen) {
  LatencyProbe probe;
  int timed = 0;
  for (std::uint64_t number = 0; number < 160; ++number) {
    timed += Passes(probe, number, kStart) ? 1 : 0;
  }
  EXPECT_EQ(timed, 10);
}

TEST(LatencyProbe, WaitsForItsFrameHoweverManyComeAfterIt) {
  LatencyProbe probe;
  while (!probe.IsDue()) {
  }
  probe.Read(kStart);
  probe.Queued(100);
  probe.Handled();
  for (std::uint64_t number = 101; number < 200; ++number) {
    EXPECT_FALSE(probe.IsDue());
    probe.Queued(number);
  }
  EXPECT_FALSE(probe.Written(99).has_value());
  EXPECT_EQ(probe.Written(100), kStart);
  EXPECT_FALSE(probe.Written(101).has_value());
}

TEST(LatencyProbe, AFrameThatWasDroppedIsForgotten) {
  LatencyProbe probe;
  while (!probe.IsDue()) {
  }
  probe.Read(kStart);
  probe.Queued(5);
  EXPECT_FALSE(probe.Written(6).has_value());
  while (!probe.IsDue()) {
  }
  probe.Read(kStart + seconds(1));
  probe.Queued(22);
  EXPECT_EQ(probe.Written(22), kStart + seconds(1));
}

TEST(LatencyProbe, WhatLedToNoFrameIsNotTimed) {
  LatencyProbe probe;
  while (!probe.IsDue()) {
  }
  probe.Read(kStart);
  probe.Handled();
  probe.Queued(1);  // Of something else.
  EXPECT_FALSE(probe.Written(1).has_value());
}

TEST(AnswerTimer, OncePerTurnFromItsEndToTheFirstAudioOfANewResponse) {
  AnswerTimer timer;
  EXPECT_FALSE(timer.Heard("resp_1").has_value()) << "nobody has said anything";
  timer.TurnEnded(kStart);
  EXPECT_FALSE(timer.Heard("resp_1").has_value()) << "what is left of the last answer";
  EXPECT_EQ(timer.Heard("resp_2"), kStart);
  EXPECT_FALSE(timer.Heard("resp_2").has_value());
  EXPECT_FALSE(timer.Heard("resp_3").has_value());
  timer.TurnEnded(kStart);
  timer.Forget();
  EXPECT_FALSE(timer.Heard("resp_4").has_value());
}

}  // namespace
}  // namespace voicebridge

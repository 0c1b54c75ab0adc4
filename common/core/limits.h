// Every limit of the relay, in one place (bytes unless named otherwise). Those without a flag are
// fixed by the protocol on one side or by the memory promise on the other; the reason stands beside
// each.
#pragma once

#include <cstddef>

#include "common/core/time.h"

namespace voicebridge::limits {

// OpenAI's largest append is 15 MiB of audio data; a message is that and its envelope.
inline constexpr std::size_t kClientMessageMax = 16U << 20U;
// Audio of one append, decoded (OpenAI's limit).
inline constexpr std::size_t kAppendAudioMax = 15U << 20U;
// A retrieved item carries its whole audio in one message.
inline constexpr std::size_t kUpstreamMessageMax = 19U << 20U;
// Above the largest message of either side, and below what one frame may cost a process.
inline constexpr int kGrpcMessageMax = 20 << 20;
// Per session and direction in each process; one larger message may pass alone. Reading pauses
// above it and resumes below half, so that a reader neither stops at each message nor runs ahead.
inline constexpr std::size_t kQueueHighWater = 2U << 20U;
inline constexpr std::size_t kQueueLowWater = kQueueHighWater / 2;
// A pause longer than this ends the session; under the upstream's ping interval of 20 s, because
// Beast answers pings only while a read is pending.
inline constexpr Duration kPauseMax = seconds(10);
// One message that a peer does not take for this long: it is gone.
inline constexpr Duration kWriteMax = seconds(30);
// Upgrade, attach and upstream configuration, in total.
inline constexpr Duration kHandshakeMax = seconds(10);
// Of a peer on a port between our own processes.
inline constexpr int kGrpcHandshakeMaxMs = 10'000;
// A polite close, before the socket is cut.
inline constexpr Duration kCloseMax = seconds(1);
// Our own pings; a peer that answers none within twice this is gone.
inline constexpr Duration kPingInterval = seconds(20);
inline constexpr std::size_t kSnapshotMax = 1U << 20U;
inline constexpr std::size_t kSnapshotPartMax = 256U << 10U;
inline constexpr std::size_t kHttpBodyMax = 64U << 10U;
inline constexpr std::size_t kHttpHeaderMax = 16U << 10U;

}  // namespace voicebridge::limits

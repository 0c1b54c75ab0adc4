// Counts and logs peers that were refused on the ports between our own processes.
#pragma once

#include <prometheus/counter.h>

#include <array>
#include <mutex>
#include <string>

#include "common/async/clock.h"
#include "common/observability/log.h"
#include "common/observability/log_budget.h"
#include "common/observability/metrics.h"
#include "common/rpc/grpc_log.h"
#include "common/rpc/peer_refusal.h"

namespace voicebridge {

// Lives as long as the process. Hear may be called on any thread, and calls may overlap.
class PeerRefusals {
 public:
  // `prefix`: as in voicebridge_worker. The others outlive it.
  PeerRefusals(prometheus::Registry& registry, const std::string& prefix, Logger& logger);

  // Every refusal is counted; of lines, which strangers can provoke, so many a second are logged.
  void Hear(const GrpcLine& line);

  static constexpr std::int64_t kLinesMax = 10;  // At once, and in each second, of either kind.

 private:
  void Refused(const PeerRefusal& refusal);
  void Failed(const GrpcLine& line);
  std::optional<std::int64_t> Admit(LogBudget& lines);

  Logger& logger_;
  SystemClock clock_;
  std::array<prometheus::Counter*, kPeerRefusalWords.size()> by_reason_{};
  std::mutex mutex_;
  LogBudget refusals_{Rate::Of(kLinesMax, seconds(1), kLinesMax)};  // Both behind the lock.
  LogBudget errors_{Rate::Of(kLinesMax, seconds(1), kLinesMax)};
};

}  // namespace voicebridge

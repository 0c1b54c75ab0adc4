// What becomes of a refused request: it is counted, logged and answered.
#pragma once

#include <mutex>
#include <optional>
#include <string_view>

#include "common/async/clock.h"
#include "common/http/http_message.h"
#include "common/observability/log.h"
#include "common/observability/log_budget.h"
#include "gateway/client/ip_address.h"
#include "gateway/client/refusal.h"
#include "gateway/gateway_metrics.h"

namespace voicebridge::gateway {

// Owned by the gateway. Calls from all threads may overlap. Each refusal is counted; of a flood a
// part is logged, and a line says how many were left out before it. Neither a credential nor a
// query is ever logged: a client may have put a secret there.
class Refusals {
 public:
  Refusals(Logger& logger, RefusalCounters& counters);

  // The answer to `request`, which came from `client`.
  HttpResponse Refuse(const Refusal& refusal, const HttpRequest& request, const IpAddress& client);

  // For what is refused without an answer. `path`: empty where no request was read.
  void Record(const Refusal& refusal, std::string_view path, const IpAddress& client);

 private:
  std::optional<std::int64_t> AdmitLine();

  Logger& logger_;
  RefusalCounters& counters_;
  const SystemClock clock_;
  std::mutex mutex_;
  LogBudget lines_;  // Behind the lock.
};

}  // namespace voicebridge::gateway

// The composition root of a gateway: builds everything, runs it, ends it.
#pragma once

#include "common/drain/watchdog.h"
#include "common/process/exit_code.h"
#include "gateway/gateway_config.h"

namespace voicebridge::gateway {

struct GatewayGauges;

// Runs until a drain ends the process. The caller ends the process with the code by
// _exit: threads that are stuck in a library are left behind.
ExitCode RunGateway(const GatewayConfig& config, Watchdog& watchdog, GatewayGauges& gauges);

}  // namespace voicebridge::gateway

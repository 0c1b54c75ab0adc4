// The composition root of a worker: builds everything, runs it, ends it.
#pragma once

#include "bridge_worker/worker_config.h"
#include "common/drain/watchdog.h"
#include "common/process/exit_code.h"

namespace voicebridge::worker {

struct WorkerGauges;

// Runs until a drain ends the process. The caller ends the process with the code by
// _exit: threads that are stuck in a library are left behind.
ExitCode RunWorker(const WorkerConfig& config, Watchdog& watchdog, WorkerGauges& gauges);

}  // namespace voicebridge::worker

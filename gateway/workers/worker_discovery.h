// Finds the workers behind a name, as --workers=dns:NAME:PORT asks for.
#pragma once

#include <string>
#include <vector>

#include "common/observability/log.h"
#include "common/runtime/shard.h"
#include "gateway/workers/worker_watch.h"

namespace voicebridge::gateway {

// Resolves the name again and again, and tells the watch of each list that differs from the last. A
// name that cannot be resolved changes nothing: workers that are gone are noticed by the watch, and
// a resolver that is away must not take those that serve. Lives on the watch's shard.
class WorkerDiscovery {
 public:
  WorkerDiscovery(std::string host, std::string port, WorkerWatch& watch, Shard& shard,
                  Logger& logger);

  // One task, until the shard's tasks are cancelled.
  void Start();

 private:
  Awaitable<void> Run();
  Awaitable<void> Look();

  const std::string host_;
  const std::string port_;
  WorkerWatch& watch_;
  Shard& shard_;
  Logger& logger_;
  std::vector<std::string> addresses_;  // As found last, sorted.
  bool unresolved_ = false;             // Said once, until it is resolved again.
};

}  // namespace voicebridge::gateway

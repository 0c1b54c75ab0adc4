// What an operator reaches of a process: the ops port, the admin port, the pid file.
#pragma once

#include <absl/status/status.h>

#include <memory>
#include <string>

#include "common/admin/admin_server.h"
#include "common/http/http_server.h"
#include "common/observability/metrics.h"
#include "common/observability/ops_service.h"
#include "common/process/pid_file.h"
#include "common/runtime/shard.h"

namespace voicebridge {

// Owned by the composition root; used from the main thread.
class OperatorListeners {
 public:
  struct Options {
    std::string ops_listen;
    std::string admin_listen;
    std::string pid_file;               // Empty: none.
    AdminSessions* sessions = nullptr;  // Both outlive the listeners; null: not offered.
    DrainControl* drain = nullptr;
    AdminServer::Credentials admin_credentials;
  };

  OperatorListeners(std::shared_ptr<ProcessRegistry> registry, OpsService::Readiness readiness)
      : ops_service_(std::move(registry), std::move(readiness)) {}

  // Binds both, writes the pid file, and announces them. The ops port is served by `shard`.
  // UNAVAILABLE names the flag.
  absl::Status Start(const Options& options, Shard& shard, AdminServer::GetStatus get_status);

  AdminServer& admin() { return *admin_; }
  void RemovePidFile() { pid_file_.Remove(); }

 private:
  OpsService ops_service_;
  std::unique_ptr<HttpServer> ops_server_;
  std::unique_ptr<AdminServer> admin_;
  PidFile pid_file_;
};

}  // namespace voicebridge

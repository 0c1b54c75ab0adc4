#include "common/composition/operator_listeners.h"

#include <utility>
#include <vector>

#include "common/core/limits.h"
#include "common/core/status.h"
#include "common/process/listening.h"

namespace voicebridge {

absl::Status OperatorListeners::Start(const Options& options, Shard& shard,
                                      AdminServer::GetStatus get_status) {
  HttpServerOptions ops;
  ops.listen = options.ops_listen;
  ops.body_bytes_max = limits::kHttpBodyMax;
  ops_server_ = std::make_unique<HttpServer>(
      ops, std::vector<HttpServer::Shard>{{shard.executor(), &shard.tasks()}}, ops_service_);
  const absl::StatusOr<std::string> ops_address = ops_server_->Start();
  if (!ops_address.ok()) {
    return Unavailable("--ops_listen: {}", Message(ops_address.status()));
  }
  absl::StatusOr<std::unique_ptr<AdminServer>> admin =
      AdminServer::Start(options.admin_listen, std::move(get_status), options.sessions,
                         options.drain, options.admin_credentials);
  if (!admin.ok()) {
    return admin.status();
  }
  admin_ = *std::move(admin);
  if (!options.pid_file.empty()) {
    absl::StatusOr<PidFile> pid_file = PidFile::Write(options.pid_file);
    if (!pid_file.ok()) {
      return pid_file.status();
    }
    pid_file_ = *std::move(pid_file);
  }
  AnnounceListener("ops", *ops_address);
  AnnounceListener("admin", admin_->address());
  return absl::OkStatus();
}

}  // namespace voicebridge

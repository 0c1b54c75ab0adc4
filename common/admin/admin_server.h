// The operator's listener of both processes: Admin, the standard health service and reflection.
#pragma once

#include <absl/status/statusor.h>
#include <grpcpp/security/server_credentials.h>

#include <functional>
#include <memory>
#include <string>

#include "common/admin/admin_sessions.h"
#include "common/drain/drain_control.h"
#include "voicebridge/v1/admin.pb.h"

namespace voicebridge {

// A gRPC server of its own, with the callback API: whatever thread gRPC uses here never polls the
// shards' sockets. Owned by the composition root.
class AdminServer {
 public:
  // Called on gRPC's threads, overlapping; must not block.
  using GetStatus = std::function<v1::ProcessStatus()>;

  using Credentials = std::shared_ptr<grpc::ServerCredentials>;

  // `sessions` and `drain` outlive the server; null: their calls are answered UNIMPLEMENTED.
  // UNAVAILABLE when the address cannot be bound.
  static absl::StatusOr<std::unique_ptr<AdminServer>> Start(const std::string& listen,
                                                            GetStatus get_status,
                                                            AdminSessions* sessions,
                                                            DrainControl* drain,
                                                            Credentials credentials);
  ~AdminServer();

  // The address as bound, with the real port.
  const std::string& address() const;

  // What grpc.health.v1 reports for the whole process ("").
  void SetServing(bool serving);

  // Ends every call now and stops listening. From the main thread.
  void Stop();

 private:
  class Implementation;
  explicit AdminServer(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace voicebridge

#include "common/admin/admin_server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <utility>

#include "common/core/status.h"
#include "common/rpc/listen_address.h"
#include "voicebridge/v1/admin.grpc.pb.h"

namespace voicebridge {
namespace {

class AdminService final : public v1::Admin::CallbackService {
 public:
  explicit AdminService(AdminServer::GetStatus get_status) : get_status_(std::move(get_status)) {}

  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context,
                                      const v1::GetStatusRequest*,
                                      v1::ProcessStatus* response) override {
    *response = get_status_();
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

 private:
  AdminServer::GetStatus get_status_;
};

}  // namespace

class AdminServer::Implementation {
 public:
  explicit Implementation(AdminServer::GetStatus get_status) : service(std::move(get_status)) {}

  AdminService service;
  std::unique_ptr<grpc::Server> server;
  std::string address;
};

AdminServer::AdminServer(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}

AdminServer::~AdminServer() = default;

absl::StatusOr<std::unique_ptr<AdminServer>> AdminServer::Start(const std::string& listen,
                                                                AdminServer::GetStatus get_status) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  auto implementation = std::make_unique<Implementation>(std::move(get_status));
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(listen, grpc::InsecureServerCredentials(), &port);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.RegisterService(&implementation->service);
  implementation->server = builder.BuildAndStart();
  if (implementation->server == nullptr || port == 0) {
    return Unavailable("--admin_listen: cannot listen on {}", listen);
  }
  implementation->address = WithPort(listen, port);
  std::unique_ptr<AdminServer> server(new AdminServer(std::move(implementation)));
  server->SetServing(true);
  return server;
}

const std::string& AdminServer::address() const { return implementation_->address; }

void AdminServer::SetServing(bool serving) {
  implementation_->server->GetHealthCheckService()->SetServingStatus(serving);
}

void AdminServer::Stop() {
  // Open Watch calls of the health service would hold a plain Shutdown; with a deadline in the past
  // they are cancelled at once.
  implementation_->server->Shutdown(gpr_inf_past(GPR_CLOCK_REALTIME));
}

}  // namespace voicebridge

#include "common/admin/admin_server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <memory>
#include <mutex>
#include <set>
#include <utility>

#include "common/admin/drain_calls.h"
#include "common/core/limits.h"
#include "common/core/status.h"
#include "common/rpc/listen_address.h"
#include "common/rpc/wire_status.h"
#include "voicebridge/v1/admin.grpc.pb.h"

namespace voicebridge {
namespace {

// Calls that wait for the process. Shared with those who will answer: they may come late.
class OpenCalls {
 public:
  // False: the server stops, and nobody will take the call.
  bool Add(grpc::ServerUnaryReactor* call) {
    const std::lock_guard lock(mutex_);
    return !stopped_ && open_.insert(call).second;
  }

  // True for the one who is to finish the call; until then its response is there to be written.
  bool Take(grpc::ServerUnaryReactor* call) {
    const std::lock_guard lock(mutex_);
    return open_.erase(call) > 0;
  }

  // gRPC's Shutdown may not return while a call of the callback API is unfinished.
  void FinishAll() {
    std::set<grpc::ServerUnaryReactor*> left;
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
      left.swap(open_);
    }
    for (grpc::ServerUnaryReactor* call : left) {
      call->Finish(ToGrpc(Stopping()));
    }
  }

  static absl::Status Stopping() { return Unavailable("the process is stopping"); }

 private:
  std::mutex mutex_;
  std::set<grpc::ServerUnaryReactor*> open_;
  bool stopped_ = false;
};

class AdminService final : public v1::Admin::CallbackService {
 public:
  AdminService(AdminServer::GetStatus get_status, AdminSessions* sessions, DrainControl* drain)
      : get_status_(std::move(get_status)), sessions_(sessions), drain_(drain) {}

  void FinishOpenCalls() {
    calls_->FinishAll();
    drain_calls_->FinishAll();
  }

  grpc::ServerWriteReactor<v1::DrainProgress>* Drain(grpc::CallbackServerContext*,
                                                     const v1::DrainRequest* request) override {
    return DrainCall::Open(*request, drain_, drain_calls_);
  }

  grpc::ServerUnaryReactor* Undrain(grpc::CallbackServerContext* context, const v1::UndrainRequest*,
                                    v1::UndrainResponse* response) override {
    return Ask(context, response, drain_ != nullptr, [this](auto done) {
      drain_->Undrain([done = std::move(done)](const absl::Status& status) {
        if (status.ok()) {
          done(v1::UndrainResponse());
        } else {
          done(status);
        }
      });
    });
  }

  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context,
                                      const v1::GetStatusRequest*,
                                      v1::ProcessStatus* response) override {
    *response = get_status_();
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  grpc::ServerUnaryReactor* ListSessions(grpc::CallbackServerContext* context,
                                         const v1::ListSessionsRequest*,
                                         v1::ListSessionsResponse* response) override {
    return Ask(context, response, sessions_ != nullptr,
               [this](auto done) { sessions_->List(std::move(done)); });
  }

  grpc::ServerUnaryReactor* EndSession(grpc::CallbackServerContext* context,
                                       const v1::EndSessionRequest* request,
                                       v1::EndSessionResponse* response) override {
    return Ask(context, response, sessions_ != nullptr, [this, request](auto done) {
      sessions_->End(request->session_id(), std::move(done));
    });
  }

  grpc::ServerUnaryReactor* DeleteSession(grpc::CallbackServerContext* context,
                                          const v1::DeleteSessionRequest* request,
                                          v1::DeleteSessionResponse* response) override {
    return Ask(context, response, sessions_ != nullptr, [this, request](auto done) {
      sessions_->Delete(request->session_id(), std::move(done));
    });
  }

 private:
  // `ask` hands the question to the process, together with what takes its answer.
  template <class Response, class AskProcess>
  grpc::ServerUnaryReactor* Ask(grpc::CallbackServerContext* context, Response* response,
                                bool offered, AskProcess ask) {
    grpc::ServerUnaryReactor* call = context->DefaultReactor();
    if (!offered) {
      call->Finish(ToGrpc(absl::UnimplementedError("not offered by this process")));
    } else if (!calls_->Add(call)) {
      call->Finish(ToGrpc(OpenCalls::Stopping()));
    } else {
      ask(AdminSessions::Done<Response>(
          [calls = calls_, call, response](absl::StatusOr<Response> answer) {
            if (!calls->Take(call)) {
              return;
            }
            if (answer.ok()) {
              *response = *std::move(answer);
            }
            call->Finish(ToGrpc(answer.status()));
          }));
    }
    return call;
  }

  const AdminServer::GetStatus get_status_;
  AdminSessions* const sessions_;
  DrainControl* const drain_;
  const std::shared_ptr<OpenCalls> calls_ = std::make_shared<OpenCalls>();
  const std::shared_ptr<DrainCalls> drain_calls_ = std::make_shared<DrainCalls>();
};

}  // namespace

class AdminServer::Implementation {
 public:
  Implementation(AdminServer::GetStatus get_status, AdminSessions* sessions, DrainControl* drain)
      : service(std::move(get_status), sessions, drain) {}

  AdminService service;
  std::unique_ptr<grpc::Server> server;
  std::string address;
};

AdminServer::AdminServer(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}

AdminServer::~AdminServer() = default;

absl::StatusOr<std::unique_ptr<AdminServer>> AdminServer::Start(const std::string& listen,
                                                                AdminServer::GetStatus get_status,
                                                                AdminSessions* sessions,
                                                                DrainControl* drain,
                                                                Credentials credentials) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  auto implementation = std::make_unique<Implementation>(std::move(get_status), sessions, drain);
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(listen, std::move(credentials), &port);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, limits::kGrpcHandshakeMaxMs);
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
  implementation_->service.FinishOpenCalls();
  // Open Watch calls of the health service would hold a plain Shutdown; with a deadline in the past
  // they are cancelled at once.
  implementation_->server->Shutdown(gpr_inf_past(GPR_CLOCK_REALTIME));
}

}  // namespace voicebridge

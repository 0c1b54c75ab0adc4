#include "bridge_worker/worker.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/ext/health_check_service_server_builder_option.h>
#include <grpcpp/health_check_service_interface.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

#include "bridge_worker/session/bridge_service.h"
#include "bridge_worker/upstream/realtime_connection.h"
#include "bridge_worker/worker_metrics.h"
#include "common/admin/admin_server.h"
#include "common/core/ids.h"
#include "common/core/limits.h"
#include "common/core/status.h"
#include "common/drain/drain_plan.h"
#include "common/http/http_server.h"
#include "common/observability/ops_service.h"
#include "common/process/listening.h"
#include "common/process/pid_file.h"
#include "common/rpc/listen_address.h"
#include "common/rpc/wire_time.h"
#include "common/runtime/session_index.h"
#include "common/runtime/settle.h"
#include "common/runtime/shard_group.h"

namespace voicebridge::worker {
namespace {

// Everything that lives as long as the worker, in the order in which it depends on each other.
class Worker {
 public:
  Worker(const WorkerConfig& config, WorkerGauges& gauges)
      : config_(config),
        gauges_(gauges),
        logger_(MakeLogger("worker", LogLevel::kInfo)),
        metrics_(*registry_, gauges, config.capacity),
        connector_(MakeRealtimeConnector(config.upstream_url, config.openai_api_key,
                                         config.upstream_ca_file)) {}

  absl::Status Start();
  ExitCode Drain(const DrainPlan& plan, int signal, const StopSignals& signals);
  Logger& logger() { return *logger_; }

 private:
  absl::Status StartSessionServer();
  absl::Status StartOpsAndAdmin();
  v1::ProcessStatus Status() const;
  TaskGroup::OnFailure OnTaskFailure();

  const WorkerConfig& config_;
  WorkerGauges& gauges_;
  const TimePoint started_ = std::chrono::steady_clock::now();
  const std::string start_id_ = NewId("start");
  std::unique_ptr<Logger> logger_;
  std::shared_ptr<ProcessRegistry> registry_ = std::make_shared<ProcessRegistry>();
  WorkerMetrics metrics_;
  std::unique_ptr<RealtimeConnector> connector_;
  std::unique_ptr<SessionIndex> index_;
  std::unique_ptr<SessionEnvironment> environment_;
  std::unique_ptr<BridgeService> service_;
  std::unique_ptr<ShardGroup> shards_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<OpsService> ops_service_;
  std::unique_ptr<HttpServer> ops_server_;
  std::unique_ptr<AdminServer> admin_;
  PidFile pid_file_;
};

TaskGroup::OnFailure Worker::OnTaskFailure() {
  return [this](std::string_view task, const std::string& what) {
    logger_->Error("task.failed", {{"task", task}, {"what", what}});
  };
}

absl::Status Worker::Start() {
  if (const absl::Status status = StartSessionServer(); !status.ok()) {
    return status;
  }
  if (const absl::Status status = StartOpsAndAdmin(); !status.ok()) {
    return status;
  }
  if (!config_.pid_file.empty()) {
    absl::StatusOr<PidFile> pid_file = PidFile::Write(config_.pid_file);
    if (!pid_file.ok()) {
      return pid_file.status();
    }
    pid_file_ = *std::move(pid_file);
  }
  shards_->Start();
  logger_->Info("worker.started", {{"pid", ::getpid()},
                                   {"capacity", config_.capacity},
                                   {"shards", config_.shards},
                                   {"upstream", config_.upstream_url.host},
                                   {"profiles", config_.profiles.size()}});
  return absl::OkStatus();
}

absl::Status Worker::StartSessionServer() {
  grpc::ServerBuilder builder;
  // The health service's own polling would take the shards' socket events and hand them over.
  builder.SetOption(std::make_unique<grpc::HealthCheckServiceServerBuilderOption>(nullptr));
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.SetMaxReceiveMessageSize(limits::kGrpcMessageMax);
  builder.SetMaxSendMessageSize(limits::kGrpcMessageMax);
  int port = 0;
  builder.AddListeningPort(config_.listen, grpc::InsecureServerCredentials(), &port);
  std::vector<std::unique_ptr<Shard>> shards;
  for (std::size_t i = 0; i < config_.shards; ++i) {
    shards.push_back(
        std::make_unique<Shard>(builder.AddCompletionQueue(), gauges_.tasks, OnTaskFailure()));
  }
  shards_ = std::make_unique<ShardGroup>(std::move(shards));
  index_ = std::make_unique<SessionIndex>(shards_->first().executor(), config_.capacity,
                                          gauges_.sessions);
  environment_ = std::make_unique<SessionEnvironment>(
      SessionEnvironment{*logger_, metrics_, gauges_, config_.profiles, *connector_, *index_,
                         OnTaskFailure()});
  service_ = std::make_unique<BridgeService>(*environment_);
  builder.RegisterService(&service_->service());
  server_ = builder.BuildAndStart();
  if (server_ == nullptr || port == 0) {
    return Unavailable("--listen: cannot listen on {}", config_.listen);
  }
  service_->Start(*shards_);
  AnnounceListener("grpc", WithPort(config_.listen, port));
  return absl::OkStatus();
}

absl::Status Worker::StartOpsAndAdmin() {
  ops_service_ = std::make_unique<OpsService>(registry_, [this] {
    return std::string(index_->closed() ? "draining" : "");
  });
  HttpServerOptions options;
  options.listen = config_.ops_listen;
  options.body_bytes_max = limits::kHttpBodyMax;
  Shard& first = shards_->first();
  ops_server_ = std::make_unique<HttpServer>(
      options, std::vector<HttpServer::Shard>{{first.executor(), &first.tasks()}}, *ops_service_);
  const absl::StatusOr<std::string> ops_address = ops_server_->Start();
  if (!ops_address.ok()) {
    return Unavailable("--ops_listen: {}", Message(ops_address.status()));
  }
  AnnounceListener("ops", *ops_address);
  absl::StatusOr<std::unique_ptr<AdminServer>> admin =
      AdminServer::Start(config_.admin_listen, [this] { return Status(); });
  if (!admin.ok()) {
    return admin.status();
  }
  admin_ = *std::move(admin);
  AnnounceListener("admin", admin_->address());
  return absl::OkStatus();
}

v1::ProcessStatus Worker::Status() const {
  v1::ProcessStatus status;
  status.set_process("worker");
  status.set_version(VOICEBRIDGE_VERSION);
  status.set_start_id(start_id_);
  status.set_draining(gauges_.draining.load());
  status.set_sessions(static_cast<std::uint32_t>(gauges_.sessions.load()));
  status.set_capacity(static_cast<std::uint32_t>(config_.capacity));
  status.set_tasks(static_cast<std::uint32_t>(gauges_.tasks.load()));
  *status.mutable_uptime() = ToWire(std::chrono::steady_clock::now() - started_);
  return status;
}

// Order: flag, admission refused, sessions settled, calls cancelled, server shut down from this thread
// while the shards keep polling, queues drained.
ExitCode Worker::Drain(const DrainPlan& plan, int signal, const StopSignals& signals) {
  const TimePoint begun = std::chrono::steady_clock::now();
  gauges_.draining.store(true);
  index_->Close();
  admin_->SetServing(false);
  logger_->Info("shutdown.begin",
                {{"signal", signal},
                 {"sessions", gauges_.sessions.load()},
                 {"deadline_ms", ToSeconds(plan.end().Remaining(begun)) * 1000}});
  service_->NotifyStatusChanged();
  index_->EndAll(v1::END_REASON_DRAINING, plan.force().Remaining(begun));
  SettleOutcome outcome;
  WaitUntilNoSessions(gauges_.sessions, plan.force(), signals, outcome);
  admin_->Stop();
  outcome.unfinished_tasks = shards_->SettleTasks(plan.flush());
  server_->Shutdown(gpr_inf_past(GPR_CLOCK_REALTIME));
  outcome.threads_stopped = shards_->Stop(plan.flush());
  pid_file_.Remove();
  for (const std::string& name : outcome.unfinished_tasks) {
    logger_->Warning("task.abandoned", {{"task", name}});
  }
  logger_->Info("shutdown.end", {{"ms", ToSeconds(std::chrono::steady_clock::now() - begun) * 1000},
                                 {"forced", outcome.sessions_forced},
                                 {"exit_code", static_cast<int>(outcome.exit_code())},
                                 {"pid", ::getpid()}});
  logger_->Flush();
  return outcome.exit_code();
}

}  // namespace

ExitCode RunWorker(const WorkerConfig& config, const StopSignals& signals, Watchdog& watchdog,
                   WorkerGauges& gauges) {
  // Never destroyed: after a forced drain threads may still use it until _exit.
  auto* worker = new Worker(config, gauges);
  if (const absl::Status status = worker->Start(); !status.ok()) {
    std::fprintf(stderr, "voicebridge-worker: %s\n", Message(status).c_str());
    return ExitCode::kBadConfiguration;
  }
  std::optional<int> signal;
  while (!signal) {
    signal = signals.WaitFor(hours(1));
  }
  // LoadWorkerConfig has checked the budget.
  const DrainPlan plan = *DrainPlan::Make(std::chrono::steady_clock::now(), config.drain_budget);
  watchdog.Arm(plan.watchdog());
  return worker->Drain(plan, *signal, signals);
}

}  // namespace voicebridge::worker

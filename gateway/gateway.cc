#include "gateway/gateway.h"

#include <grpcpp/completion_queue.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "common/admin/admin_server.h"
#include "common/core/ids.h"
#include "common/core/limits.h"
#include "common/core/status.h"
#include "common/drain/drain_plan.h"
#include "common/http/http_server.h"
#include "common/observability/ops_service.h"
#include "common/process/listening.h"
#include "common/process/pid_file.h"
#include "common/rpc/wire_time.h"
#include "common/runtime/session_index.h"
#include "common/runtime/settle.h"
#include "common/runtime/shard_group.h"
#include "gateway/gateway_metrics.h"
#include "gateway/http/gateway_service.h"
#include "gateway/relay/relay_driver.h"
#include "gateway/workers/worker_link.h"
#include "gateway/workers/worker_watch.h"

namespace voicebridge::gateway {
namespace {

std::vector<std::unique_ptr<Shard>> MakeShards(std::size_t count, LiveTasks& tasks,
                                               const TaskGroup::OnFailure& on_failure) {
  std::vector<std::unique_ptr<Shard>> shards;
  for (std::size_t i = 0; i < count; ++i) {
    shards.push_back(
        std::make_unique<Shard>(std::make_unique<grpc::CompletionQueue>(), tasks, on_failure));
  }
  return shards;
}

// Everything that lives as long as the gateway, in the order in which it depends on each other.
class Gateway {
 public:
  Gateway(const GatewayConfig& config, GatewayGauges& gauges);

  absl::Status Start();
  ExitCode Drain(const DrainPlan& plan, int signal, const StopSignals& signals);

 private:
  absl::Status StartPublic();
  absl::Status StartOpsAndAdmin();
  std::string NotReadyBecause() const;
  v1::ProcessStatus Status() const;
  TaskGroup::OnFailure OnTaskFailure();

  const GatewayConfig& config_;
  GatewayGauges& gauges_;
  const TimePoint started_ = std::chrono::steady_clock::now();
  const std::string start_id_ = NewId("start");
  std::unique_ptr<Logger> logger_;
  std::shared_ptr<ProcessRegistry> registry_ = std::make_shared<ProcessRegistry>();
  GatewayMetrics metrics_;
  ShardGroup shards_;
  SessionIndex index_;
  WorkerLinks links_;
  WorkerWatch watch_;
  RelayEnvironment environment_;
  GatewayService service_;
  OpsService ops_service_;
  std::unique_ptr<HttpServer> public_server_;
  std::unique_ptr<HttpServer> ops_server_;
  std::unique_ptr<AdminServer> admin_;
  PidFile pid_file_;
};

Gateway::Gateway(const GatewayConfig& config, GatewayGauges& gauges)
    : config_(config),
      gauges_(gauges),
      logger_(MakeLogger("gateway", LogLevel::kInfo)),
      metrics_(*registry_, gauges),
      shards_(MakeShards(config.shards, gauges.tasks, OnTaskFailure())),
      index_(shards_.first().executor(), config.max_sessions, gauges.sessions),
      links_(config.workers),
      watch_(config.workers, links_, shards_.first(), gauges, *logger_),
      environment_{*logger_, metrics_, gauges, links_, watch_, index_, OnTaskFailure()},
      service_(config, environment_, shards_),
      ops_service_(registry_, [this] { return NotReadyBecause(); }) {}

TaskGroup::OnFailure Gateway::OnTaskFailure() {
  return [this](std::string_view task, const std::string& what) {
    logger_->Error("task.failed", {{"task", task}, {"what", what}});
  };
}

std::string Gateway::NotReadyBecause() const {
  if (index_.closed()) {
    return "draining";
  }
  return gauges_.workers_serving.load() == 0 ? "no worker serves" : "";
}

absl::Status Gateway::Start() {
  watch_.Start();
  if (const absl::Status status = StartPublic(); !status.ok()) {
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
  shards_.Start();
  logger_->Info("gateway.started", {{"pid", ::getpid()},
                                    {"workers", config_.workers.size()},
                                    {"shards", config_.shards},
                                    {"tls", !config_.tls_cert_file.empty()}});
  if (config_.auth.insecure_no_auth) {
    logger_->Warning("auth.off", {{"note", "--insecure_no_auth: anybody may open conversations"}});
  }
  if (config_.signing_key_is_random) {
    logger_->Warning("signing_key.random",
                     {{"note", "client secrets are good for this process only; --signing_keys"}});
  }
  return absl::OkStatus();
}

absl::Status Gateway::StartPublic() {
  HttpServerOptions options;
  options.listen = config_.listen;
  options.tls_cert_file = config_.tls_cert_file;
  options.tls_key_file = config_.tls_key_file;
  options.message_bytes_max = limits::kClientMessageMax;
  options.body_bytes_max = limits::kHttpBodyMax;
  options.ping_interval = limits::kPingInterval;
  std::vector<HttpServer::Shard> places;
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    places.push_back({shards_[i].executor(), &shards_[i].tasks()});
  }
  public_server_ = std::make_unique<HttpServer>(options, std::move(places), service_);
  const absl::StatusOr<std::string> address = public_server_->Start();
  if (!address.ok()) {
    return Unavailable("--listen: {}", Message(address.status()));
  }
  AnnounceListener("public", *address);
  return absl::OkStatus();
}

absl::Status Gateway::StartOpsAndAdmin() {
  HttpServerOptions options;
  options.listen = config_.ops_listen;
  options.body_bytes_max = limits::kHttpBodyMax;
  Shard& first = shards_.first();
  ops_server_ = std::make_unique<HttpServer>(
      options, std::vector<HttpServer::Shard>{{first.executor(), &first.tasks()}}, ops_service_);
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

v1::ProcessStatus Gateway::Status() const {
  v1::ProcessStatus status;
  status.set_process("gateway");
  status.set_version(VOICEBRIDGE_VERSION);
  status.set_start_id(start_id_);
  status.set_draining(gauges_.draining.load());
  status.set_sessions(static_cast<std::uint32_t>(gauges_.sessions.load()));
  status.set_capacity(static_cast<std::uint32_t>(config_.max_sessions));
  status.set_tasks(static_cast<std::uint32_t>(gauges_.tasks.load()));
  *status.mutable_uptime() = ToWire(std::chrono::steady_clock::now() - started_);
  return status;
}

// Order: flag, admission refused, sessions settled, then what served them.
ExitCode Gateway::Drain(const DrainPlan& plan, int signal, const StopSignals& signals) {
  const TimePoint begun = std::chrono::steady_clock::now();
  gauges_.draining.store(true);
  index_.Close();
  admin_->SetServing(false);
  logger_->Info("shutdown.begin",
                {{"signal", signal},
                 {"sessions", gauges_.sessions.load()},
                 {"deadline_ms", ToSeconds(plan.end().Remaining(begun)) * 1000}});
  index_.EndAll(v1::END_REASON_DRAINING, plan.force().Remaining(begun));
  SettleOutcome outcome;
  WaitUntilNoSessions(gauges_.sessions, plan.force(), signals, outcome);
  admin_->Stop();
  outcome.unfinished_tasks = shards_.SettleTasks(plan.flush());
  outcome.threads_stopped = shards_.Stop(plan.flush());
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

ExitCode RunGateway(const GatewayConfig& config, const StopSignals& signals, Watchdog& watchdog,
                    GatewayGauges& gauges) {
  // Never destroyed: after a forced drain threads may still use it until _exit.
  auto* gateway = new Gateway(config, gauges);
  if (const absl::Status status = gateway->Start(); !status.ok()) {
    std::fprintf(stderr, "voicebridge-gateway: %s\n", Message(status).c_str());
    return ExitCode::kBadConfiguration;
  }
  std::optional<int> signal;
  while (!signal) {
    signal = signals.WaitFor(hours(1));
  }
  // LoadGatewayConfig has checked the budget.
  const DrainPlan plan = *DrainPlan::Make(std::chrono::steady_clock::now(), config.drain_budget);
  watchdog.Arm(plan.watchdog());
  return gateway->Drain(plan, *signal, signals);
}

}  // namespace voicebridge::gateway

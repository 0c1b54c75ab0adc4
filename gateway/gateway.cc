#include "gateway/gateway.h"

#include <grpcpp/completion_queue.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "common/composition/certificates.h"
#include "common/composition/operator_listeners.h"
#include "common/composition/peer_security.h"
#include "common/composition/process_drain.h"
#include "common/composition/reloader.h"
#include "common/composition/session_admin.h"
#include "common/composition/shard_metrics.h"
#include "common/core/ids.h"
#include "common/core/limits.h"
#include "common/core/status.h"
#include "common/drain/drain_plan.h"
#include "common/http/http_server.h"
#include "common/process/listening.h"
#include "common/rpc/wire_time.h"
#include "common/runtime/session_index.h"
#include "common/runtime/shard_group.h"
#include "common/websocket/name_resolver.h"
#include "gateway/file_reloads.h"
#include "gateway/gateway_metrics.h"
#include "gateway/http/gateway_service.h"
#include "gateway/relay/relay_driver.h"
#include "gateway/workers/worker_discovery.h"
#include "gateway/workers/worker_drains.h"
#include "gateway/workers/worker_link.h"
#include "gateway/workers/worker_watch.h"

namespace voicebridge::gateway {
namespace {

std::vector<std::unique_ptr<Shard>> MakeShards(std::size_t count, GatewayGauges& gauges,
                                               const TaskGroup::OnFailure& on_failure) {
  std::vector<std::unique_ptr<Shard>> shards;
  for (std::size_t i = 0; i < count; ++i) {
    shards.push_back(std::make_unique<Shard>(std::make_unique<grpc::CompletionQueue>(),
                                             gauges.tasks, on_failure));
    NameResolver::Of(shards.back()->executor()).CountIn(gauges.library_calls);
  }
  return shards;
}

// Everything that lives as long as the gateway, in the order in which it depends on each other.
class Gateway {
 public:
  Gateway(const GatewayConfig& config, GatewayGauges& gauges, Watchdog& watchdog);

  absl::Status Start();
  // Until a drain ends the process.
  ExitCode Serve();

 private:
  void WatchWorkers();
  absl::Status StartPublic();
  void WatchFiles();
  OpsService::State Readiness() const;
  v1::ProcessStatus Status() const;
  TaskGroup::OnFailure OnTaskFailure();
  void PrepareDrain();

  const GatewayConfig& config_;
  GatewayGauges& gauges_;
  Watchdog& watchdog_;
  const TimePoint started_ = std::chrono::steady_clock::now();
  const std::string start_id_ = NewId("start");
  std::unique_ptr<Logger> logger_;
  std::shared_ptr<ProcessRegistry> registry_ = std::make_shared<ProcessRegistry>();
  GatewayMetrics metrics_;
  ShardGroup shards_;
  SessionIndex index_;
  Certificates certificates_;
  PeerSecurity peers_;
  WorkerLinks links_;
  WorkerWatch watch_;
  std::optional<WorkerDiscovery> discovery_;
  RelayEnvironment environment_;
  GatewayService service_;
  SessionAdmin sessions_;
  OperatorListeners operator_;
  std::unique_ptr<HttpServer> public_server_;
  std::string public_address_;
  Reloader reloader_;
  NoBackgroundWork background_;
  DrainCoordinator coordinator_;
  WorkerDrains worker_drains_;
  std::optional<ProcessDrain> drain_;
};

Gateway::Gateway(const GatewayConfig& config, GatewayGauges& gauges, Watchdog& watchdog)
    : config_(config),
      gauges_(gauges),
      watchdog_(watchdog),
      logger_(MakeLogger("gateway", LogLevel::kInfo)),
      metrics_(*registry_, gauges),
      shards_(MakeShards(config.shards, gauges, OnTaskFailure())),
      index_(shards_.first().executor(), 0, gauges.sessions),  // Places are given out at the door.
      certificates_(*registry_, "voicebridge_gateway", *logger_),
      peers_(config.peer, certificates_, *registry_, "voicebridge_gateway", *logger_),
      links_(peers_.tls(), config.workers_name ? config.workers_name->host : ""),
      watch_(config.workers, links_, shards_.first(), gauges, *logger_),
      environment_{*logger_, metrics_, gauges,          links_,
                   watch_,   index_,   OnTaskFailure(), config.message_rate},
      service_(config, environment_, shards_),
      sessions_(index_, shards_.first(), nullptr),
      operator_(registry_, [this] { return Readiness(); }),
      reloader_(shards_.first().clock(), metrics_.reloads_refused, *logger_),
      coordinator_(DrainRole::kGateway, config.drain_budget, watchdog, gauges.drain, *logger_),
      worker_drains_(links_, shards_.first(), gauges, *logger_,
                     [this](DrainEvent event) { coordinator_.Post(std::move(event)); }) {}

TaskGroup::OnFailure Gateway::OnTaskFailure() {
  return [this](std::string_view task, const std::string& what) {
    logger_->Error("task.failed", {{"task", task}, {"what", what}});
  };
}

OpsService::State Gateway::Readiness() const {
  if (index_.closed()) {
    return {.ready = false, .detail = "draining"};
  }
  if (gauges_.workers_serving.load() == 0) {
    return {.ready = false, .detail = "no worker serves"};
  }
  return {};
}

absl::Status Gateway::Start() {
  AddShardMetrics(*registry_,
                  {"voicebridge_gateway", {"from_clients", "worker"}, {"to_clients", "client"}},
                  shards_);
  WatchWorkers();
  if (absl::Status bound = StartPublic(); !bound.ok()) {
    return bound;
  }
  absl::Status status = operator_.Start({config_.ops_listen, config_.admin_listen, config_.pid_file,
                                         &sessions_, &coordinator_, peers_.tls().ForListener()},
                                        shards_.first(), [this] { return Status(); });
  if (!status.ok()) {
    return status;
  }
  AnnounceListener("public", public_address_);
  WatchFiles();
  PrepareDrain();
  watchdog_.Serve(DrainPlan::WatchdogDelay(config_.drain_budget));
  shards_.Start();
  logger_->Info("gateway.started", {{"pid", ::getpid()},
                                    {"workers", config_.workers.size()},
                                    {"shards", config_.shards},
                                    {"tls", config_.tls.has_value()},
                                    {"peer_tls", peers_.tls().on()}});
  if (config_.auth.insecure_no_auth) {
    logger_->Warning("auth.off", {{"note", "--insecure_no_auth: anybody may open conversations"}});
  }
  if (config_.signing_key_is_random) {
    logger_->Warning("signing_key.random",
                     {{"note", "client secrets are good for this process only; --signing_keys"}});
  }
  return absl::OkStatus();
}

void Gateway::WatchWorkers() {
  watch_.Start();
  if (const std::optional<WorkersName>& name = config_.workers_name) {
    discovery_.emplace(name->host, name->port, watch_, shards_.first(), *logger_);
    discovery_->Start();
  }
}

absl::Status Gateway::StartPublic() {
  HttpServerOptions options;
  options.listen = config_.listen;
  if (config_.tls) {
    options.certificate = config_.tls->value;
    certificates_.InForce("certificate.loaded", "public", config_.tls->value.facts);
  }
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
  public_address_ = *address;
  return absl::OkStatus();
}

void Gateway::WatchFiles() {
  AddReloads(config_, {*public_server_, service_, certificates_, *logger_}, reloader_);
  peers_.ReloadBy(reloader_, [this] { links_.Renew(); });
  reloader_.Start(shards_.first().tasks());
}

v1::ProcessStatus Gateway::Status() const {
  v1::ProcessStatus status;
  status.set_process("gateway");
  status.set_version(VOICEBRIDGE_VERSION);
  status.set_start_id(start_id_);
  status.set_draining(gauges_.drain.draining());
  *status.mutable_drain_time_left() =
      ToWire(gauges_.drain.TimeLeft(std::chrono::steady_clock::now()));
  status.set_sessions(static_cast<std::uint32_t>(gauges_.sessions.count()));
  status.set_capacity(static_cast<std::uint32_t>(config_.admission.sessions));
  status.set_tasks(static_cast<std::uint32_t>(gauges_.tasks.total()));
  *status.mutable_uptime() = ToWire(std::chrono::steady_clock::now() - started_);
  return status;
}

// The public listener refuses by itself once the index is closed; its connections are the sessions.
void Gateway::PrepareDrain() {
  drain_.emplace(ProcessDrain::Parts{
      *logger_, coordinator_, gauges_.drain, index_, shards_, operator_.admin(), gauges_.tasks,
      gauges_.library_calls, background_, [] {},
      [this](const DrainWorkers& order) { worker_drains_.Call(order); }, [] {}});
}

ExitCode Gateway::Serve() {
  const ExitCode code = drain_->Run();
  operator_.RemovePidFile();
  return code;
}

}  // namespace

ExitCode RunGateway(const GatewayConfig& config, Watchdog& watchdog, GatewayGauges& gauges) {
  // Never destroyed: after a forced drain threads may still use it until _exit. Static, so that a
  // leak check finds it.
  static auto* const gateway = new Gateway(config, gauges, watchdog);
  if (const absl::Status status = gateway->Start(); !status.ok()) {
    std::fprintf(stderr, "voicebridge-gateway: %s\n", Message(status).c_str());
    return ExitCodeOfStart(status);
  }
  return gateway->Serve();
}

}  // namespace voicebridge::gateway

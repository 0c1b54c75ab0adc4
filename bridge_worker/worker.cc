#include "bridge_worker/worker.h"

#include <grpcpp/ext/health_check_service_server_builder_option.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "bridge_worker/interview/assessment_service.h"
#include "bridge_worker/interview/http_responses_client.h"
#include "bridge_worker/session/assessment_queries.h"
#include "bridge_worker/session/bridge_service.h"
#include "bridge_worker/session/stored_session.h"
#include "bridge_worker/session/worker_background.h"
#include "bridge_worker/store/store_thread.h"
#include "bridge_worker/tools/http_webhook.h"
#include "bridge_worker/upstream/realtime_connection.h"
#include "bridge_worker/worker_metrics.h"
#include "common/composition/certificates.h"
#include "common/composition/operator_listeners.h"
#include "common/composition/peer_security.h"
#include "common/composition/process_drain.h"
#include "common/composition/reloader.h"
#include "common/composition/session_admin.h"
#include "common/composition/shard_metrics.h"
#include "common/core/changing_secret.h"
#include "common/core/ids.h"
#include "common/core/limits.h"
#include "common/core/status.h"
#include "common/drain/drain_plan.h"
#include "common/process/listening.h"
#include "common/rpc/listen_address.h"
#include "common/rpc/wire_time.h"
#include "common/runtime/session_index.h"
#include "common/runtime/shard_group.h"
#include "common/websocket/name_resolver.h"

namespace voicebridge::worker {
namespace {

constexpr Duration kStoreOpenMax = seconds(5);

// Everything that lives as long as the worker, in the order in which it depends on each other.
class Worker {
 public:
  Worker(const WorkerConfig& config, WorkerGauges& gauges, Watchdog& watchdog)
      : config_(config),
        gauges_(gauges),
        watchdog_(watchdog),
        logger_(MakeLogger("worker", LogLevel::kInfo)),
        metrics_(*registry_, gauges, config.capacity),
        certificates_(*registry_, "voicebridge_worker", *logger_),
        peers_(config.peer, certificates_, *registry_, "voicebridge_worker", *logger_),
        openai_api_key_(config.openai_api_key),
        connector_(
            MakeRealtimeConnector(config.upstream_url, openai_api_key_, config.upstream_ca_file)),
        store_(*MakeStore(config.store), *logger_, metrics_.store, gauges.library_calls),
        coordinator_(DrainRole::kWorker, config.drain_budget, watchdog, gauges.drain, *logger_) {}

  absl::Status Start();
  // Until a drain ends the process.
  ExitCode Serve();

 private:
  absl::Status MakeClients();
  absl::Status StartSessionServer();
  void WatchFiles();
  void TakeOpenAiKey(const NamedFile& file, ConfigErrors& errors);
  void ObserveBackgroundWork();
  OpsService::State Readiness() const;
  v1::ProcessStatus Status() const;
  TaskGroup::OnFailure OnTaskFailure();
  void PrepareDrain();

  const WorkerConfig& config_;
  WorkerGauges& gauges_;
  Watchdog& watchdog_;
  const TimePoint started_ = std::chrono::steady_clock::now();
  const std::string start_id_ = NewId("start");
  std::unique_ptr<Logger> logger_;
  std::shared_ptr<ProcessRegistry> registry_ = std::make_shared<ProcessRegistry>();
  WorkerMetrics metrics_;
  Certificates certificates_;
  PeerSecurity peers_;
  ChangingSecret openai_api_key_;
  std::unique_ptr<RealtimeConnector> connector_;
  StoreThread store_;
  DrainCoordinator coordinator_;
  SystemClock clock_;
  std::unique_ptr<ResponsesClient> responses_;
  std::unique_ptr<WebhookCaller> webhooks_;
  std::unique_ptr<SessionIndex> index_;
  std::unique_ptr<UnsavedRecords> unsaved_;
  std::unique_ptr<AssessmentService> assessments_;
  std::unique_ptr<AssessmentQueries> queries_;
  std::unique_ptr<SessionEnvironment> environment_;
  std::unique_ptr<BridgeService> service_;
  std::unique_ptr<SessionAdmin> sessions_;
  std::unique_ptr<ShardGroup> shards_;
  std::unique_ptr<WorkerBackground> background_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
  std::optional<Reloader> reloader_;
  OperatorListeners operator_{registry_, [this] { return Readiness(); }};
  std::optional<ProcessDrain> drain_;
};

TaskGroup::OnFailure Worker::OnTaskFailure() {
  return [this](std::string_view task, const std::string& what) {
    logger_->Error("task.failed", {{"task", task}, {"what", what}});
  };
}

absl::Status Worker::MakeClients() {
  auto responses =
      MakeHttpResponsesClient(config_.responses_url, openai_api_key_, config_.upstream_ca_file);
  if (!responses.ok()) {
    return InvalidArgument("--responses_url: {}", Message(responses.status()));
  }
  responses_ = *std::move(responses);
  auto webhooks = MakeHttpWebhookCaller(config_.profiles, config_.upstream_ca_file, clock_);
  if (!webhooks.ok()) {
    return InvalidArgument("--profiles: {}", Message(webhooks.status()));
  }
  webhooks_ = *std::move(webhooks);
  return absl::OkStatus();
}

void Worker::ObserveBackgroundWork() {
  auto& running = AddGauge(*registry_, "voicebridge_worker_assessments_running",
                           "Assessments that are being written now.");
  auto& queued = AddGauge(*registry_, "voicebridge_worker_assessments_queued",
                          "Assessments that wait for their turn.");
  auto& pending = AddGauge(*registry_, "voicebridge_worker_store_pending",
                           "Jobs that wait for the store or run in it.");
  auto& available = AddGauge(*registry_, "voicebridge_worker_store_available",
                             "0 while the store cannot be reached.");
  registry_->OnCollect([this, &running, &queued, &pending, &available] {
    running.Set(static_cast<double>(assessments_->running()));
    queued.Set(static_cast<double>(assessments_->queued()));
    pending.Set(static_cast<double>(store_.pending()));
    available.Set(store_.available() ? 1 : 0);
  });
}

absl::Status Worker::Start() {
  if (absl::Status made = MakeClients(); !made.ok()) {
    return made;
  }
  if (const absl::Status opened = store_.Start(Deadline::After(clock_.Now(), kStoreOpenMax));
      !opened.ok()) {
    return MakeStatus(opened.code(), "--store: {}", Message(opened));
  }
  if (absl::Status bound = StartSessionServer(); !bound.ok()) {
    return bound;
  }
  ObserveBackgroundWork();
  AddShardMetrics(*registry_,
                  {"voicebridge_worker", {"to_upstream", "upstream"}, {"to_gateway", "gateway"}},
                  *shards_);
  absl::Status status =
      operator_.Start({config_.ops_listen, config_.admin_listen, config_.pid_file, sessions_.get(),
                       &coordinator_, peers_.tls().ForListener()},
                      shards_->first(), [this] { return Status(); });
  if (!status.ok()) {
    return status;
  }
  background_ = std::make_unique<WorkerBackground>(
      WorkerBackground::Parts{*assessments_, store_, *unsaved_, config_.retention,
                              shards_->first().executor(), shards_->first().clock(),
                              shards_->first().tasks(), gauges_.tasks, OnTaskFailure(), *logger_});
  background_->Start();
  AnnounceListener("grpc", address_);
  WatchFiles();
  PrepareDrain();
  watchdog_.Serve(DrainPlan::WatchdogDelay(config_.drain_budget));
  shards_->Start();
  logger_->Info("worker.started", {{"pid", ::getpid()},
                                   {"capacity", config_.capacity},
                                   {"shards", config_.shards},
                                   {"upstream", config_.upstream_url.host},
                                   {"profiles", config_.profiles.size()},
                                   {"peer_tls", peers_.tls().on()}});
  return absl::OkStatus();
}

absl::Status Worker::StartSessionServer() {
  grpc::ServerBuilder builder;
  // The health service's own polling would take the shards' socket events and hand them over.
  builder.SetOption(std::make_unique<grpc::HealthCheckServiceServerBuilderOption>(nullptr));
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, limits::kGrpcHandshakeMaxMs);
  builder.SetMaxReceiveMessageSize(limits::kGrpcMessageMax);
  builder.SetMaxSendMessageSize(limits::kGrpcMessageMax);
  int port = 0;
  builder.AddListeningPort(config_.listen, peers_.tls().ForListener(), &port);
  std::vector<std::unique_ptr<Shard>> shards;
  for (std::size_t i = 0; i < config_.shards; ++i) {
    shards.push_back(
        std::make_unique<Shard>(builder.AddCompletionQueue(), gauges_.tasks, OnTaskFailure()));
    NameResolver::Of(shards.back()->executor()).CountIn(gauges_.library_calls);
  }
  shards_ = std::make_unique<ShardGroup>(std::move(shards));
  index_ = std::make_unique<SessionIndex>(shards_->first().executor(), config_.capacity,
                                          gauges_.sessions);
  unsaved_ = std::make_unique<UnsavedRecords>(shards_->first().executor(), metrics_.lost);
  AssessmentLimits assessment_limits;
  assessment_limits.parallel = config_.assessments_parallel;
  assessment_limits.lease = config_.assessment_lease;
  assessments_ = std::make_unique<AssessmentService>(
      assessment_limits, config_.profiles, *responses_, store_, metrics_.lost, metrics_.assessments,
      start_id_, shards_->first().executor(), shards_->first().clock(), shards_->first().tasks(),
      *logger_);
  environment_ = std::make_unique<SessionEnvironment>(
      SessionEnvironment{*logger_, metrics_, gauges_, config_.profiles, *connector_, *index_,
                         store_, *unsaved_, config_.store_is_lasting, start_id_, *assessments_,
                         ToolEnvironment{store_, *webhooks_, clock_, *logger_, gauges_.drain.flag(),
                                         metrics_.lost, metrics_.tools},
                         OnTaskFailure()});
  queries_ = MakeAssessmentQueries(*assessments_);
  service_ = std::make_unique<BridgeService>(*environment_, *queries_, coordinator_);
  sessions_ = std::make_unique<SessionAdmin>(
      *index_, shards_->first(), [this](std::string session_id, Deadline deadline) {
        return DeleteStoredSession(store_, std::move(session_id), deadline);
      });
  builder.RegisterService(&service_->service());
  server_ = builder.BuildAndStart();
  if (server_ == nullptr || port == 0) {
    return Unavailable("--listen: cannot listen on {}", config_.listen);
  }
  service_->Start(*shards_);
  address_ = WithPort(config_.listen, port);
  return absl::OkStatus();
}

// Without its store a worker still converses, and what it is to store waits in bounds.
OpsService::State Worker::Readiness() const {
  if (index_->closed()) {
    return {.ready = false, .detail = "draining"};
  }
  if (!store_.available()) {
    return {.detail = "the store is unavailable, what is to be stored waits"};
  }
  return {};
}

void Worker::TakeOpenAiKey(const NamedFile& file, ConfigErrors& errors) {
  if (std::optional<Secret> key = ParseOpenAiKey(file, errors)) {
    openai_api_key_.Set(*std::move(key));
    logger_->Info("keys.reloaded", {{"flag", file.flag}, {"keys", 1}});
  }
}

void Worker::WatchFiles() {
  reloader_.emplace(shards_->first().clock(), metrics_.reloads_refused, *logger_);
  peers_.ReloadBy(*reloader_, [] {});
  if (config_.openai_api_key_file) {
    reloader_->Add({*config_.openai_api_key_file}, [this](const auto& files, ConfigErrors& errors) {
      TakeOpenAiKey(files.front(), errors);
    });
  }
  reloader_->Start(shards_->first().tasks());
}

v1::ProcessStatus Worker::Status() const {
  v1::ProcessStatus status;
  status.set_process("worker");
  status.set_version(VOICEBRIDGE_VERSION);
  status.set_start_id(start_id_);
  status.set_draining(gauges_.drain.draining());
  *status.mutable_drain_time_left() = ToWire(gauges_.drain.TimeLeft(clock_.Now()));
  status.set_sessions(static_cast<std::uint32_t>(gauges_.sessions.count()));
  status.set_capacity(static_cast<std::uint32_t>(config_.capacity));
  status.set_tasks(static_cast<std::uint32_t>(gauges_.tasks.total()));
  *status.mutable_uptime() = ToWire(std::chrono::steady_clock::now() - started_);
  return status;
}

void Worker::PrepareDrain() {
  const auto tell_gateways = [this] { service_->NotifyStatusChanged(); };
  index_->SetOnCount(tell_gateways);
  // Whatever call is still open is cancelled; a plain Shutdown would wait for it.
  const auto shut_down_server = [this] { server_->Shutdown(gpr_inf_past(GPR_CLOCK_REALTIME)); };
  drain_.emplace(ProcessDrain::Parts{*logger_, coordinator_, gauges_.drain, *index_, *shards_,
                                     operator_.admin(), gauges_.tasks, gauges_.library_calls,
                                     *background_, tell_gateways, [](const DrainWorkers&) {},
                                     shut_down_server});
}

ExitCode Worker::Serve() {
  const ExitCode code = drain_->Run();
  operator_.RemovePidFile();
  return code;
}

}  // namespace

ExitCode RunWorker(const WorkerConfig& config, Watchdog& watchdog, WorkerGauges& gauges) {
  // Never destroyed: after a forced drain threads may still use it until _exit. Static, so that a
  // leak check finds it.
  static auto* const worker = new Worker(config, gauges, watchdog);
  if (const absl::Status status = worker->Start(); !status.ok()) {
    std::fprintf(stderr, "voicebridge-worker: %s\n", Message(status).c_str());
    return ExitCodeOfStart(status);
  }
  return worker->Serve();
}

}  // namespace voicebridge::worker

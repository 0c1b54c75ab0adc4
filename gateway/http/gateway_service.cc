#include "gateway/http/gateway_service.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "common/core/ids.h"
#include "common/core/status.h"
#include "common/core/wall_clock.h"
#include "common/observability/trace_context.h"
#include "common/observability/trace_logger.h"
#include "gateway/client/auth.h"
#include "gateway/client/origin.h"
#include "gateway/http/responses.h"
#include "gateway/workers/worker_reports.h"

namespace voicebridge::gateway {
namespace {

constexpr std::string_view kRealtimePath = "/v1/realtime";
constexpr std::string_view kClientSecretsPath = "/v1/realtime/client_secrets";
constexpr std::string_view kProfileDefault = "assistant";
constexpr std::string_view kSubprotocol = "realtime";
constexpr std::int64_t kAccessTokenSeconds = std::int64_t{24} * 60 * 60;

HttpResponse NotFound(const HttpRequest& request) {
  return JsonErrorResponse(404, "invalid_request_error", "not_found",
                           fmt::format("There is nothing at {}.", request.path));
}

// Where no page is served.
HttpResponse Welcome() {
  HttpResponse welcome;
  welcome.body =
      "This is a voicebridge gateway. Point an OpenAI Realtime client at /v1/realtime on this "
      "address,\nor try: voicebridgectl talk ws://HOST:PORT/v1/realtime FILE.wav\n";
  return welcome;
}

Refusal Refuse(RefusalReason reason, const Caller& caller) {
  return Refusal{.reason = reason, .key = caller.name, .secret_id = caller.claims.id};
}

// The first of the client's list that we speak; empty: none.
std::string_view ChooseSubprotocol(const HttpRequest& request) {
  for (const std::string_view offered : request.HeaderList("Sec-WebSocket-Protocol")) {
    if (offered == kBinarySubprotocol || offered == kSubprotocol) {
      return offered;
    }
  }
  return {};
}

// The client's trace, with a span of ours. More than one header, like none, says nothing.
TraceContext TraceOf(const HttpRequest& request) {
  const std::vector<std::string_view> given = request.HeaderList("traceparent");
  return ContinueTrace(given.size() == 1 ? given.front() : std::string_view());
}

}  // namespace

// A conversation that may begin: whose it is, and the place that it has.
struct GatewayService::Admitted final : Ticket {
  Caller caller;
  IpAddress client;
  Admission::Place place;
};

struct GatewayService::Waiting final : Ticket {
  explicit Waiting(Admission::Place held) : place(std::move(held)) {}

  Admission::Place place;
};

std::optional<std::unique_ptr<Ticket>> GatewayService::AdmitConnection(const std::string& address) {
  std::variant<Admission::Place, Refusal> entered = admission_.Connect(address);
  if (const Refusal* refusal = std::get_if<Refusal>(&entered)) {
    refusals_.Record(*refusal, "", IpAddress::Parse(address).value_or(IpAddress()));
    return std::nullopt;
  }
  return std::make_unique<Waiting>(std::move(std::get<Admission::Place>(entered)));
}

Awaitable<HttpResponse> GatewayService::Respond(const HttpRequest& request) {
  if (request.path == kClientSecretsPath) {
    co_return MintClientSecret(request);
  }
  if (request.path == kRealtimePath) {
    co_return ExplainRealtime(request);
  }
  if (std::optional<ReportRoute> route = ReportRouteOf(request.path)) {
    co_return co_await ServeReport(*std::move(route), request);
  }
  if (config_.page.Contains(request.path)) {
    co_return config_.page.Respond(request);
  }
  if (request.path == "/") {
    co_return Welcome();
  }
  co_return NotFound(request);
}

HttpResponse GatewayService::MintClientSecret(const HttpRequest& request) {
  if (request.method != "POST") {
    return MethodNotAllowed("POST", "Client secrets are minted with POST.");
  }
  const IpAddress client = admission_.ClientOf(request);
  if (const std::optional<Refusal> refusal = admission_.TakeRequest(client)) {
    return refusals_.Refuse(*refusal, request, client);
  }
  const std::int64_t now = UnixNow();
  const std::shared_ptr<const AuthPolicy> auth = auth_.load();
  const std::variant<Caller, Refusal> authenticated = Authenticate(*auth, request, now);
  if (const Refusal* refusal = std::get_if<Refusal>(&authenticated)) {
    return refusals_.Refuse(*refusal, request, client);
  }
  const Caller& caller = std::get<Caller>(authenticated);
  if (!caller.may_mint) {
    return refusals_.Refuse(Refuse(RefusalReason::kMayNotMint, caller), request, client);
  }
  MintedSecret minted = RespondClientSecret(*auth, caller, request.body, now);
  if (!minted.secret_id.empty()) {
    environment_.logger.Info(
        "secret.minted",
        {{"secret", minted.secret_id}, {"key", caller.name}, {"address", client.ToString()}});
  }
  return std::move(minted.response);
}

// Browsers do not tell a page what its upgrade was answered; it asks again without one.
HttpResponse GatewayService::ExplainRealtime(const HttpRequest& request) {
  const IpAddress client = admission_.ClientOf(request);
  const AdmittedOr admitted = Admit(request, client);
  if (const Refusal* refusal = std::get_if<Refusal>(&admitted)) {
    return refusals_.Refuse(*refusal, request, client);
  }
  HttpResponse refused = JsonErrorResponse(426, "invalid_request_error", "upgrade_required",
                                           "This endpoint speaks WebSocket.");
  refused.headers.emplace_back("Upgrade", "websocket");
  return refused;
}

Awaitable<HttpResponse> GatewayService::ServeReport(ReportRoute route, const HttpRequest& request) {
  const IpAddress client = admission_.ClientOf(request);
  std::optional<Refusal> refusal = admission_.TakeRequest(client);
  if (!refusal) {
    refusal = CheckReportToken(route, request, auth_.load()->signing_keys, UnixNow());
  }
  if (refusal) {
    HttpResponse refused = refusals_.Refuse(*refusal, request, client);
    ForbidKeeping(refused);
    co_return refused;
  }
  Shard& shard = ShardOf(co_await net::this_coro::executor);
  WorkerReports reports(environment_, shard, TraceOf(request).trace_id);
  co_return co_await RespondReport(std::move(route), request, reports);
}

UpgradeDecision GatewayService::DecideUpgrade(const HttpRequest& request) {
  if (request.path != kRealtimePath) {
    return NotFound(request);
  }
  const IpAddress client = admission_.ClientOf(request);
  AdmittedOr admitted = Admit(request, client);
  if (const Refusal* refusal = std::get_if<Refusal>(&admitted)) {
    return refusals_.Refuse(*refusal, request, client);
  }
  AcceptUpgrade accept;
  accept.subprotocol = ChooseSubprotocol(request);
  accept.ticket = std::move(std::get<std::unique_ptr<Admitted>>(admitted));
  return accept;
}

// What costs the caller nothing to try comes first: a credential is checked only as often as its
// sender may ask.
GatewayService::AdmittedOr GatewayService::Admit(const HttpRequest& request,
                                                 const IpAddress& client) {
  if (std::optional<Refusal> refusal = admission_.TakeRequest(client)) {
    return *std::move(refusal);
  }
  if (!IsOriginAllowed(request)) {
    return Refusal{.reason = RefusalReason::kForeignOrigin};
  }
  std::variant<Caller, Refusal> authenticated = Authenticate(*auth_.load(), request, UnixNow());
  if (Refusal* refusal = std::get_if<Refusal>(&authenticated)) {
    return std::move(*refusal);
  }
  Caller& caller = std::get<Caller>(authenticated);
  const ClientSecretClaims& claims = caller.claims;
  if (!claims.profile.empty() &&
      request.Query("profile").value_or(claims.profile) != claims.profile) {
    return Refuse(RefusalReason::kForeignProfile, caller);
  }
  if (const std::optional<RefusalReason> reason = WhyNobodyMayComeNow()) {
    return Refuse(*reason, caller);
  }
  std::variant<Admission::Place, Refusal> entered =
      admission_.Enter({client, claims.id, claims.limits.max_sessions});
  if (const Refusal* refusal = std::get_if<Refusal>(&entered)) {
    return Refuse(refusal->reason, caller);
  }
  auto admitted = std::make_unique<Admitted>();
  admitted->client = client;
  admitted->place = std::move(std::get<Admission::Place>(entered));
  admitted->caller = std::move(caller);
  return admitted;
}

std::optional<RefusalReason> GatewayService::WhyNobodyMayComeNow() const {
  if (environment_.index.closed()) {
    return RefusalReason::kDraining;
  }
  if (environment_.gauges.workers_serving.load() == 0) {
    return RefusalReason::kNoWorker;
  }
  return std::nullopt;
}

Awaitable<void> GatewayService::Converse(HttpRequest request, AcceptUpgrade accepted,
                                         std::unique_ptr<Connection> connection) {
  const auto& admitted = static_cast<const Admitted&>(*accepted.ticket);  // Of DecideUpgrade.
  const ClientSecretClaims& claims = admitted.caller.claims;
  RelayConfig config;
  config.session_id = NewId("sess");
  config.profile = claims.profile.empty() ? std::string(kProfileDefault) : claims.profile;
  if (accepted.subprotocol == kBinarySubprotocol) {
    config.audio_framing = AudioFraming::kBinary;
  }
  config.initial_session_json = claims.session_json;
  config.session_max = seconds(claims.limits.session_seconds);
  if (const auto profile = request.Query("profile")) {
    config.profile = *profile;
  }
  config.model = request.Query("model").value_or("");
  config.traceparent = FormatTraceparent(TraceOf(request));
  config.access_token = MintAccessToken(auth_.load()->signing_keys, config.session_id,
                                        UnixNow() + kAccessTokenSeconds);
  LoggerOfTrace(environment_.logger, config.traceparent)
      .Info("session.admitted", {{"session", config.session_id},
                                 {"key", admitted.caller.name},
                                 {"secret", claims.id},
                                 {"address", admitted.client.ToString()}});
  Shard& shard = ShardOf(co_await net::this_coro::executor);
  auto driver = std::make_unique<RelayDriver>(environment_, shard, std::move(config),
                                              std::move(connection), std::move(accepted.ticket));
  co_await driver->Run();
  if (!driver->finished()) {
    static_cast<void>(driver.release());  // One leaked session instead of a process that ends; its
                                          // log line says so.
  }
}

bool GatewayService::IsOriginAllowed(const HttpRequest& request) const {
  const auto origin = request.Header("Origin");
  if (!origin) {
    return true;
  }
  const auto& allowed = config_.allowed_origins;
  if (!allowed.empty()) {
    return std::find(allowed.begin(), allowed.end(), *origin) != allowed.end();
  }
  // Without a key to show, only the page that we serve: else any page in the user's browser could.
  return !auth_.load()->insecure_no_auth || IsOwnPage(*origin, request.Header("Host").value_or(""),
                                                      IsLoopbackHostPort(config_.listen));
}

Shard& GatewayService::ShardOf(const net::any_io_executor& executor) {
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    if (shards_[i].executor() == executor) {
      return shards_[i];
    }
  }
  return shards_.first();  // The server was given these shards and no others.
}

}  // namespace voicebridge::gateway

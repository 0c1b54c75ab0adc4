#include "gateway/http/gateway_service.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "common/core/ids.h"
#include "common/core/status.h"
#include "common/core/wall_clock.h"
#include "common/observability/trace_context.h"
#include "gateway/client/auth.h"
#include "gateway/http/report_endpoints.h"
#include "gateway/http/responses.h"
#include "gateway/workers/worker_reports.h"

namespace voicebridge::gateway {
namespace {

constexpr std::string_view kRealtimePath = "/v1/realtime";
constexpr std::string_view kClientSecretsPath = "/v1/realtime/client_secrets";
constexpr std::string_view kProfileDefault = "assistant";
constexpr std::string_view kSubprotocol = "realtime";
constexpr std::int64_t kAccessTokenSeconds = 24 * 60 * 60;

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

Awaitable<HttpResponse> GatewayService::Respond(const HttpRequest& request) {
  if (request.path == kClientSecretsPath) {
    if (request.method != "POST") {
      co_return MethodNotAllowed("POST", "Client secrets are minted with POST.");
    }
    co_return MintClientSecret(request);
  }
  if (request.path == kRealtimePath) {
    if (std::optional<HttpResponse> refusal = RefusalOf(request)) {
      co_return *std::move(refusal);  // Browsers do not tell a page what its upgrade was answered.
    }
    HttpResponse refused = JsonErrorResponse(426, "invalid_request_error", "upgrade_required",
                                             "This endpoint speaks WebSocket.");
    refused.headers.emplace_back("Upgrade", "websocket");
    co_return refused;
  }
  if (std::optional<ReportRoute> route = ReportRouteOf(request.path)) {
    Shard& shard = ShardOf(co_await net::this_coro::executor);
    WorkerReports reports(environment_, shard, TraceOf(request).trace_id);
    co_return co_await RespondReport(std::move(*route), request, config_.auth.signing_keys,
                                     UnixNow(), reports);
  }
  if (config_.page.Contains(request.path)) {
    co_return config_.page.Respond(request);
  }
  if (request.path == "/") {
    co_return Welcome();
  }
  co_return NotFound(request);
}

HttpResponse GatewayService::MintClientSecret(const HttpRequest& request) const {
  const std::int64_t now = UnixNow();
  const absl::StatusOr<Caller> caller = Authenticate(config_.auth, request, now);
  if (!caller.ok()) {
    return JsonErrorResponse(401, "invalid_request_error", "invalid_api_key",
                             Message(caller.status()));
  }
  if (!caller->may_mint) {
    return JsonErrorResponse(403, "invalid_request_error", "insufficient_permissions",
                             "A client secret cannot mint another one: use an API key.");
  }
  return RespondClientSecret(config_.auth, *caller, request.body, now);
}

UpgradeDecision GatewayService::DecideUpgrade(const HttpRequest& request) {
  if (request.path != kRealtimePath) {
    return NotFound(request);
  }
  if (std::optional<HttpResponse> refusal = RefusalOf(request)) {
    environment_.metrics.upgrades_refused.Increment();
    return *std::move(refusal);
  }
  AcceptUpgrade accept;
  accept.subprotocol = ChooseSubprotocol(request);
  return accept;
}

std::optional<HttpResponse> GatewayService::RefusalOf(const HttpRequest& request) const {
  if (!IsOriginAllowed(request)) {
    return JsonErrorResponse(403, "invalid_request_error", "origin_not_allowed",
                             "This origin may not open conversations here.");
  }
  const absl::StatusOr<Caller> caller = Authenticate(config_.auth, request, UnixNow());
  if (!caller.ok()) {
    return JsonErrorResponse(401, "invalid_request_error", "invalid_api_key",
                             Message(caller.status()));
  }
  const std::string& bound_profile = caller->claims.profile;
  if (!bound_profile.empty() && request.Query("profile").value_or(bound_profile) != bound_profile) {
    return JsonErrorResponse(403, "invalid_request_error", "profile_not_allowed",
                             "This client secret is for another profile.");
  }
  if (environment_.index.closed()) {
    return TryLater("draining", "This server is going away. Try again.");
  }
  if (environment_.index.size() >= environment_.index.capacity()) {
    return TryLater("full", "This server is full. Try again in a moment.");
  }
  if (environment_.gauges.workers_serving.load() == 0) {
    return TryLater("no_worker", "No worker can take a conversation now.");
  }
  return std::nullopt;
}

Awaitable<void> GatewayService::Converse(HttpRequest request,
                                         std::unique_ptr<Connection> connection) {
  // Checked when the upgrade was decided; only its claims are wanted here.
  const absl::StatusOr<Caller> caller = Authenticate(config_.auth, request, UnixNow());
  RelayConfig config;
  config.session_id = NewId("sess");
  config.profile = kProfileDefault;
  if (ChooseSubprotocol(request) == kBinarySubprotocol) {
    config.audio_framing = AudioFraming::kBinary;
  }
  if (caller.ok()) {
    config.initial_session_json = caller->claims.session_json;
    if (!caller->claims.profile.empty()) {
      config.profile = caller->claims.profile;
    }
  }
  if (const auto profile = request.Query("profile")) {
    config.profile = *profile;
  }
  config.model = request.Query("model").value_or("");
  config.traceparent = FormatTraceparent(TraceOf(request));
  config.access_token = MintAccessToken(config_.auth.signing_keys, config.session_id,
                                        UnixNow() + kAccessTokenSeconds);
  Shard& shard = ShardOf(co_await net::this_coro::executor);
  auto driver =
      std::make_unique<RelayDriver>(environment_, shard, std::move(config), std::move(connection));
  co_await driver->Run();
  if (!driver->finished()) {
    static_cast<void>(driver.release());  // One leaked session instead of a process that ends; its
                                          // log line says so.
  }
}

bool GatewayService::IsOriginAllowed(const HttpRequest& request) const {
  const auto origin = request.Header("Origin");
  const auto& allowed = config_.allowed_origins;
  return !origin || allowed.empty() ||
         std::find(allowed.begin(), allowed.end(), *origin) != allowed.end();
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

#include "common/observability/ops_service.h"

#include <prometheus/text_serializer.h>

#include <utility>

namespace voicebridge {
namespace {

constexpr std::string_view kPrometheusText = "text/plain; version=0.0.4; charset=utf-8";

HttpResponse NotFound() {
  HttpResponse response;
  response.status = 404;
  response.body = "not found; there are /healthz, /readyz and /metrics\n";
  return response;
}

}  // namespace

Awaitable<HttpResponse> OpsService::Respond(const HttpRequest& request) {
  HttpResponse response;
  if (request.path != "/healthz" && request.path != "/readyz" && request.path != "/metrics") {
    co_return NotFound();
  }
  if (request.method != "GET" && request.method != "HEAD") {
    response.status = 405;
    response.headers.emplace_back("Allow", "GET, HEAD");
  } else if (request.path == "/healthz") {
    response.body = "ok";
  } else if (request.path == "/metrics") {
    response.content_type = kPrometheusText;
    response.body = prometheus::TextSerializer().Serialize(registry_->Collect());
  } else {
    const State state = readiness_();
    response.status = state.ready ? 200 : 503;
    response.body = !state.ready           ? state.detail
                    : state.detail.empty() ? "ready"
                                           : "ready; " + state.detail;
  }
  co_return response;
}

UpgradeDecision OpsService::DecideUpgrade(const HttpRequest&) { return NotFound(); }

// Never called: no upgrade is accepted.
Awaitable<void> OpsService::Converse(HttpRequest, AcceptUpgrade, std::unique_ptr<Connection>) {
  co_return;
}

}  // namespace voicebridge

// The ops port of both processes: /healthz, /readyz and /metrics.
#pragma once

#include <prometheus/registry.h>

#include <functional>
#include <memory>
#include <string>

#include "common/http/http_server.h"

namespace voicebridge {

// Owned by the composition root, served by an HttpServer of its own.
class OpsService final : public HttpService {
 public:
  struct State {
    bool ready = true;
    std::string detail;  // Why it is not ready, or what works less well than it should.
  };
  using Readiness = std::function<State()>;

  OpsService(std::shared_ptr<prometheus::Registry> registry, Readiness readiness)
      : registry_(std::move(registry)), readiness_(std::move(readiness)) {}

  Awaitable<HttpResponse> Respond(const HttpRequest& request) override;
  UpgradeDecision DecideUpgrade(const HttpRequest& request) override;
  Awaitable<void> Converse(HttpRequest request, AcceptUpgrade accepted,
                           std::unique_ptr<Connection> connection) override;

 private:
  std::shared_ptr<prometheus::Registry> registry_;
  Readiness readiness_;
};

}  // namespace voicebridge

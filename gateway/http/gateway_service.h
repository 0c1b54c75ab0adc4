// What the public listener serves: the Realtime endpoint, client secrets, reports, the page.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "common/http/http_server.h"
#include "common/runtime/shard_group.h"
#include "gateway/client/admission.h"
#include "gateway/gateway_config.h"
#include "gateway/http/refusals.h"
#include "gateway/http/report_endpoints.h"
#include "gateway/relay/relay_driver.h"

namespace voicebridge::gateway {

// Owned by the gateway; calls run on the shard of the request's connection.
class GatewayService final : public HttpService {
 public:
  GatewayService(const GatewayConfig& config, RelayEnvironment& environment, ShardGroup& shards)
      : config_(config),
        environment_(environment),
        shards_(shards),
        auth_(std::make_shared<const AuthPolicy>(config.auth)),
        admission_(config.admission, config.trusted_proxies),
        refusals_(environment.logger, environment.metrics.requests_refused) {}

  // For requests from now on; sessions that are there go on. From any thread.
  void SetAuth(std::shared_ptr<const AuthPolicy> policy) { auth_.store(std::move(policy)); }
  std::shared_ptr<const AuthPolicy> auth() const { return auth_.load(); }

  std::optional<std::unique_ptr<Ticket>> AdmitConnection(const std::string& address) override;
  Awaitable<HttpResponse> Respond(const HttpRequest& request) override;
  UpgradeDecision DecideUpgrade(const HttpRequest& request) override;
  Awaitable<void> Converse(HttpRequest request, AcceptUpgrade accepted,
                           std::unique_ptr<Connection> connection) override;

 private:
  struct Admitted;
  struct Waiting;  // A connection that has no session yet.
  using AdmittedOr = std::variant<std::unique_ptr<Admitted>, Refusal>;

  HttpResponse MintClientSecret(const HttpRequest& request);
  HttpResponse ExplainRealtime(const HttpRequest& request);
  Awaitable<HttpResponse> ServeReport(ReportRoute route, const HttpRequest& request);
  // The one decision about a conversation; its place is reserved with it.
  AdmittedOr Admit(const HttpRequest& request, const IpAddress& client);
  std::optional<RefusalReason> WhyNobodyMayComeNow() const;
  bool IsOriginAllowed(const HttpRequest& request) const;
  Shard& ShardOf(const net::any_io_executor& executor);

  const GatewayConfig& config_;
  RelayEnvironment& environment_;
  ShardGroup& shards_;
  std::atomic<std::shared_ptr<const AuthPolicy>> auth_;
  Admission admission_;
  Refusals refusals_;
};

}  // namespace voicebridge::gateway

// What the public listener serves: the Realtime endpoint, client secrets, reports, the page.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/http/http_server.h"
#include "common/runtime/shard_group.h"
#include "gateway/gateway_config.h"
#include "gateway/relay/relay_driver.h"

namespace voicebridge::gateway {

// Owned by the gateway; calls run on the shard of the request's connection.
class GatewayService final : public HttpService {
 public:
  GatewayService(const GatewayConfig& config, RelayEnvironment& environment, ShardGroup& shards)
      : config_(config), environment_(environment), shards_(shards) {}

  Awaitable<HttpResponse> Respond(const HttpRequest& request) override;
  UpgradeDecision DecideUpgrade(const HttpRequest& request) override;
  Awaitable<void> Converse(HttpRequest request, std::unique_ptr<Connection> connection) override;

 private:
  HttpResponse MintClientSecret(const HttpRequest& request) const;
  bool IsOriginAllowed(const HttpRequest& request) const;
  // Why no conversation may begin now.
  std::optional<HttpResponse> RefusalOf(const HttpRequest& request) const;
  Shard& ShardOf(const net::any_io_executor& executor);

  const GatewayConfig& config_;
  RelayEnvironment& environment_;
  ShardGroup& shards_;
};

}  // namespace voicebridge::gateway

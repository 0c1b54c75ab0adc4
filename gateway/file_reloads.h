// What the gateway takes anew from its files while it runs.
#pragma once

#include "common/composition/certificates.h"
#include "common/composition/reloader.h"
#include "common/http/http_server.h"
#include "gateway/gateway_config.h"
#include "gateway/http/gateway_service.h"

namespace voicebridge::gateway {

// What it is put into; outlives the reloader.
struct ReloadTargets {
  HttpServer& public_server;
  GatewayService& service;
  Certificates& certificates;
  Logger& logger;
};

// The public certificate, API keys and signing keys, where they come from files.
void AddReloads(const GatewayConfig& config, const ReloadTargets& targets, Reloader& reloader);

}  // namespace voicebridge::gateway

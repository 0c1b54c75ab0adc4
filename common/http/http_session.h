// One connection of the HTTP server, from accept to its end. Private to http_server.cc.
#pragma once

#include <memory>
#include <string>

#include "common/http/http_server.h"
#include "common/websocket/upgradable_connection.h"

namespace voicebridge {

// Answers requests in turn, until one of them becomes a WebSocket and the service converses with
// it; the ticket is given back before. The arguments by reference outlive the coroutine.
Awaitable<void> ServeConnection(std::unique_ptr<UpgradableConnection> connection,
                                std::unique_ptr<Ticket> ticket, std::string remote_address,
                                const HttpServerOptions& options, HttpService& service);

}  // namespace voicebridge

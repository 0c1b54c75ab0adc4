// An HTTP/1.1 server with WebSocket upgrades; used by the gateway, the ops listener and the
// simulator.
#pragma once

#include <absl/status/statusor.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/async/awaitable.h"
#include "common/async/clock.h"
#include "common/async/task_group.h"
#include "common/core/certificate.h"
#include "common/core/deadline.h"
#include "common/http/http_message.h"
#include "common/websocket/connection.h"

namespace voicebridge {

// What a service holds for a connection or an upgrade; giving it back is its destruction.
class Ticket {
 public:
  virtual ~Ticket() = default;
};

// The answer to an upgrade request: go on with this subprotocol (empty: none), or this response.
// What is reserved for the conversation goes with it, or back when the upgrade fails.
struct AcceptUpgrade {
  std::string subprotocol;
  std::unique_ptr<Ticket> ticket = nullptr;
};
using UpgradeDecision = std::variant<AcceptUpgrade, HttpResponse>;

// What the server serves. Calls run on the executor of the request's connection and may overlap.
class HttpService {
 public:
  virtual ~HttpService() = default;

  // A connection, before anything is read from it. nullopt: it is cut at once. The ticket, which
  // may be null, is held until the connection has ended or become a WebSocket.
  virtual std::optional<std::unique_ptr<Ticket>> AdmitConnection(const std::string& remote_address);

  // An ordinary request. Written within a bound of the server's; must return within one of its own.
  virtual Awaitable<HttpResponse> Respond(const HttpRequest& request) = 0;

  // Awaited before DecideUpgrade, by a service that has to wait first; must return within a bound
  // of its own.
  virtual Awaitable<void> PrepareUpgrade(const HttpRequest& request);

  // A WebSocket upgrade request; decided before anything is answered.
  virtual UpgradeDecision DecideUpgrade(const HttpRequest& request) = 0;

  // Runs the connection whose upgrade was accepted; the server closes what is left of it on return.
  virtual Awaitable<void> Converse(HttpRequest request, AcceptUpgrade accepted,
                                   std::unique_ptr<Connection> connection) = 0;
};

struct HttpServerOptions {
  std::string listen;                  // HOST:PORT; port 0 picks a free one.
  std::optional<KeyPair> certificate;  // None: plain.
  std::size_t message_bytes_max = 0;   // Of an incoming WebSocket message.
  std::size_t body_bytes_max = 0;      // Of a request; larger is answered 413.
  Duration ping_interval{};            // Of our own WebSocket pings; zero: none.
  Duration request_max =
      seconds(10);  // From accept (or the previous response) to a complete request.
};

// Accepts on one executor and hands each connection to one of `shards`, in turn. Owned by the
// composition root, which ends the connections through the task groups; after that it may be
// destroyed. StopAccepting is called on the accepting executor.
class HttpServer {
 public:
  // One place where connections live: an executor and its task group. Both outlive the server.
  struct Shard {
    net::any_io_executor executor;
    TaskGroup* tasks;
  };

  // `shards` has at least one entry; the first accepts.
  HttpServer(HttpServerOptions options, std::vector<Shard> shards, HttpService& service);
  ~HttpServer();

  // Binds and begins to accept. The address as bound, with the real port. INVALID_ARGUMENT names
  // what is wrong with the address or the certificate.
  absl::StatusOr<std::string> Start();

  // For connections from now on; those that are there live on. From any thread. INVALID_ARGUMENT
  // leaves everything as it was.
  absl::Status UseCertificate(const KeyPair& pair);

  // Closes the listening socket; connections go on. Idempotent.
  void StopAccepting();

  // Open TCP connections, WebSocket ones included.
  std::size_t connections() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace voicebridge

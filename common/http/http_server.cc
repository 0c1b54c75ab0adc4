#include "common/http/http_server.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <optional>
#include <utility>

#include "common/core/status.h"
#include "common/http/http_session.h"
#include "common/http/listener.h"
#include "common/websocket/upgradable_connection.h"

namespace voicebridge {
namespace {

using net::ip::tcp;

// Long enough for a session to end and give back its descriptor, short enough not to be noticed.
constexpr Duration kAcceptBackOff = milliseconds(20);

// What connections use; shared with hand-overs between shards, which may still be in a queue when
// the server is destroyed.
struct Shared {
  Shared(HttpServerOptions server_options, HttpService& http_service)
      : options(std::move(server_options)), service(http_service) {}

  const HttpServerOptions options;
  HttpService& service;
  // Null: plain. A connection keeps what it began with, by OpenSSL's own count.
  std::atomic<std::shared_ptr<net::ssl::context>> tls;
  std::atomic<std::size_t> connections = 0;
  std::atomic<bool> destroyed = false;
};

// Counts a connection from accept to its end.
class Counted {
 public:
  explicit Counted(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {
    shared_->connections.fetch_add(1, std::memory_order_relaxed);
  }
  ~Counted() {
    if (shared_) {
      shared_->connections.fetch_sub(1, std::memory_order_relaxed);
    }
  }
  Counted(Counted&& other) noexcept = default;
  Counted& operator=(Counted&&) = delete;

  Shared& shared() const { return *shared_; }

 private:
  std::shared_ptr<Shared> shared_;
};

std::string AddressOf(const tcp::socket& socket) {
  boost::system::error_code error;
  const net::ip::address address = socket.remote_endpoint(error).address();
  if (error) {
    return "";
  }
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return net::ip::make_address_v4(net::ip::v4_mapped, address.to_v6()).to_string();
  }
  return address.to_string();
}

std::unique_ptr<UpgradableConnection> MakeServerConnection(
    const std::shared_ptr<net::ssl::context>& tls, tcp::socket socket,
    const ConnectionOptions& options) {
  return tls ? MakeTlsServerConnection(std::move(socket), *tls, options)
             : MakePlainConnection(std::move(socket), options);
}

Awaitable<void> Serve(Counted counted, tcp::socket socket) {
  Shared& shared = counted.shared();
  ConnectionOptions options;
  options.role = Role::kServer;
  options.message_bytes_max = shared.options.message_bytes_max;
  options.ping_interval = shared.options.ping_interval;
  std::string remote_address = AddressOf(socket);
  std::optional<std::unique_ptr<Ticket>> ticket = shared.service.AdmitConnection(remote_address);
  if (!ticket) {
    co_return;
  }
  std::unique_ptr<UpgradableConnection> connection =
      MakeServerConnection(shared.tls.load(), std::move(socket), options);
  co_await ServeConnection(std::move(connection), *std::move(ticket), std::move(remote_address),
                           shared.options, shared.service);
}

}  // namespace

class HttpServer::Implementation {
 public:
  Implementation(HttpServerOptions options, std::vector<Shard> shards, HttpService& service)
      : shared_(std::make_shared<Shared>(std::move(options), service)),
        shards_(std::move(shards)) {}

  ~Implementation() { shared_->destroyed = true; }

  absl::StatusOr<std::string> Start();
  absl::Status UseCertificate(const KeyPair& pair);

  void StopAccepting() {
    stopped_ = true;
    if (acceptor_) {
      boost::system::error_code ignored;
      acceptor_->close(ignored);
    }
  }

  std::size_t connections() const { return shared_->connections.load(std::memory_order_relaxed); }

 private:
  Awaitable<void> Accept();
  void HandOver(const Shard& shard, tcp::socket socket);

  const std::shared_ptr<Shared> shared_;
  const std::vector<Shard> shards_;
  SystemClock clock_;
  std::optional<tcp::acceptor> acceptor_;
  bool stopped_ = false;
};

absl::Status HttpServer::Implementation::UseCertificate(const KeyPair& pair) {
  absl::StatusOr<std::shared_ptr<net::ssl::context>> context = MakeServerContext(pair);
  if (context.ok()) {
    shared_->tls.store(*std::move(context));
  }
  return context.status();
}

absl::StatusOr<std::string> HttpServer::Implementation::Start() {
  if (shared_->options.certificate) {
    if (absl::Status used = UseCertificate(*shared_->options.certificate); !used.ok()) {
      return used;
    }
  }
  absl::StatusOr<tcp::acceptor> acceptor =
      Listen(shards_.front().executor, shared_->options.listen);
  if (!acceptor.ok()) {
    return acceptor.status();
  }
  acceptor_.emplace(*std::move(acceptor));
  boost::system::error_code error;
  const tcp::endpoint bound = acceptor_->local_endpoint(error);
  if (error || !shards_.front().tasks->TrySpawn("http accept", Accept())) {
    acceptor_.reset();
    return Unavailable("cannot accept on '{}': the process is stopping", shared_->options.listen);
  }
  return ToString(bound);
}

Awaitable<void> HttpServer::Implementation::Accept() {
  std::size_t next = 0;
  bool cancelled = co_await IsCancelled();
  while (!stopped_ && !cancelled) {
    const Shard& shard = shards_[next];
    auto [error, socket] = co_await acceptor_->async_accept(shard.executor, kNoThrow);
    if (!error) {
      next = (next + 1) % shards_.size();
      HandOver(shard, std::move(socket));
    } else if (!stopped_) {
      // Usually out of file descriptors: the connection stays in the backlog, so retrying at once
      // would spin.
      co_await clock_.SleepUntil(Deadline::After(clock_.Now(), kAcceptBackOff));
    }
    cancelled = co_await IsCancelled();
  }
}

void HttpServer::Implementation::HandOver(const Shard& shard, tcp::socket socket) {
  Counted counted(shared_);
  if (shard.executor == shards_.front().executor) {
    shard.tasks->TrySpawn("http connection", Serve(std::move(counted), std::move(socket)));
    return;
  }
  // A task group belongs to its executor. The handler is dropped, and the socket closed with it,
  // when the server has gone meanwhile; the group refuses it when it is closed.
  net::post(shard.executor, [tasks = shard.tasks, counted = std::move(counted),
                             socket = std::move(socket)]() mutable {
    if (!counted.shared().destroyed) {
      tasks->TrySpawn("http connection", Serve(std::move(counted), std::move(socket)));
    }
  });
}

std::optional<std::unique_ptr<Ticket>> HttpService::AdmitConnection(const std::string&) {
  return nullptr;
}

Awaitable<void> HttpService::PrepareUpgrade(const HttpRequest&) { co_return; }

HttpServer::HttpServer(HttpServerOptions options, std::vector<Shard> shards, HttpService& service)
    : implementation_(
          std::make_unique<Implementation>(std::move(options), std::move(shards), service)) {}

HttpServer::~HttpServer() = default;

absl::StatusOr<std::string> HttpServer::Start() { return implementation_->Start(); }

absl::Status HttpServer::UseCertificate(const KeyPair& pair) {
  return implementation_->UseCertificate(pair);
}

void HttpServer::StopAccepting() { implementation_->StopAccepting(); }

std::size_t HttpServer::connections() const { return implementation_->connections(); }

}  // namespace voicebridge

#include "common/http/http_session.h"

#include <algorithm>
#include <boost/beast/http/status.hpp>
#include <optional>
#include <utility>
#include <variant>

#include "common/core/status.h"
#include "common/http/request_reader.h"

namespace voicebridge {
namespace {

namespace http = boost::beast::http;

bool HasBody(unsigned status) { return status >= 200 && status != 204 && status != 304; }

// A header that would end early, and begin another, is left out.
bool IsSendable(const std::string& text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos;
}

std::string ResponseHead(const HttpResponse& response, bool keep_alive) {
  std::string head =
      fmt::format("HTTP/1.1 {} {}\r\nServer: voicebridge\r\n", response.status,
                  std::string_view(http::obsolete_reason(http::int_to_status(response.status))));
  for (const auto& [name, value] : response.headers) {
    if (IsSendable(name) && IsSendable(value)) {
      head += fmt::format("{}: {}\r\n", name, value);
    }
  }
  if (response.more != nullptr) {
    head +=
        fmt::format("Content-Type: {}\r\nTransfer-Encoding: chunked\r\n", response.content_type);
  } else if (HasBody(response.status)) {
    head += fmt::format("Content-Type: {}\r\nContent-Length: {}\r\n", response.content_type,
                        response.body.size());
  }
  head += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  return head;
}

std::string Chunk(std::string_view piece) {
  return fmt::format("{:x}\r\n{}\r\n", piece.size(), piece);
}

HttpResponse StatusResponse(unsigned status) {
  HttpResponse response;
  response.status = status;
  response.body = std::string(http::obsolete_reason(http::int_to_status(status))) + "\n";
  return response;
}

// What a connection needs between its requests.
class HttpSession {
 public:
  HttpSession(UpgradableConnection& connection, std::string remote_address,
              const HttpServerOptions& options, HttpService& service)
      : connection_(connection),
        remote_address_(std::move(remote_address)),
        options_(options),
        service_(service),
        reader_(connection, options.body_bytes_max) {}

  // An upgrade that was accepted and has succeeded.
  struct Upgraded {
    HttpRequest request;
    AcceptUpgrade accepted;
  };

  // The request whose WebSocket is open now; nullopt: the connection is done with.
  Awaitable<std::optional<Upgraded>> Run();

 private:
  enum class Next { kRequest, kUpgrade, kEnd };

  Awaitable<Next> HandleNext();
  Awaitable<Next> Handle();
  Awaitable<Next> HandleUpgrade();
  Awaitable<Next> Send(HttpResponse response, bool keep_alive);
  Awaitable<bool> SendChunked(std::string_view head, const HttpResponse& response);

  void StartTime() {
    connection_.Bound(Deadline::After(SystemClock().Now(), options_.request_max));
  }

  UpgradableConnection& connection_;
  const std::string remote_address_;
  const HttpServerOptions& options_;
  HttpService& service_;
  RequestReader reader_;
  HttpRequest request_;
  AcceptUpgrade accepted_;
};

Awaitable<std::optional<HttpSession::Upgraded>> HttpSession::Run() {
  StartTime();
  const absl::Status ready = co_await connection_.HandshakeTls();
  if (!ready.ok()) {
    co_return std::nullopt;
  }
  Next next = Next::kRequest;
  while (next == Next::kRequest) {
    next = co_await HandleNext();
  }
  if (next == Next::kEnd) {
    co_return std::nullopt;
  }
  Upgraded upgraded{std::move(request_), std::move(accepted_)};
  co_return std::move(upgraded);
}

Awaitable<HttpSession::Next> HttpSession::HandleNext() {
  const RequestReader::Result result = co_await reader_.Read();
  switch (result) {
    case RequestReader::Result::kRequest:
      break;
    case RequestReader::Result::kRefused:
      co_return co_await Send(StatusResponse(reader_.refused_status()), false);
    case RequestReader::Result::kEnded:
      co_return Next::kEnd;
  }
  std::optional<HttpRequest> request = ToHttpRequest(reader_.raw(), remote_address_);
  if (!request) {
    co_return co_await Send(StatusResponse(400), false);
  }
  request_ = *std::move(request);
  if (WantsUpgrade(reader_.raw())) {
    co_return co_await HandleUpgrade();
  }
  co_return co_await Handle();
}

Awaitable<HttpSession::Next> HttpSession::Handle() {
  connection_.Bound(Deadline::Never());  // The service has a bound of its own.
  HttpResponse response = co_await service_.Respond(request_);
  StartTime();
  co_return co_await Send(std::move(response), reader_.raw().keep_alive());
}

Awaitable<HttpSession::Next> HttpSession::HandleUpgrade() {
  std::optional<HttpResponse> refusal = RefuseUpgrade(reader_.raw());
  if (refusal) {
    co_return co_await Send(*std::move(refusal), false);
  }
  connection_.Bound(Deadline::Never());
  co_await service_.PrepareUpgrade(request_);
  StartTime();
  UpgradeDecision decision = service_.DecideUpgrade(request_);
  if (HttpResponse* response = std::get_if<HttpResponse>(&decision)) {
    co_return co_await Send(std::move(*response), reader_.raw().keep_alive());
  }
  JoinUpgradeHeaders(reader_.raw());
  accepted_ = std::move(std::get<AcceptUpgrade>(decision));
  const bool open =
      co_await connection_.AcceptWebSocket(reader_.raw(), accepted_.subprotocol, reader_.Early());
  co_return open ? Next::kUpgrade : Next::kEnd;
}

Awaitable<HttpSession::Next> HttpSession::Send(HttpResponse response, bool keep_alive) {
  const std::string head = ResponseHead(response, keep_alive);
  // A HEAD request is told the length of what a GET would have brought.
  const bool without_body = request_.method == "HEAD" || !HasBody(response.status);
  const std::string_view body = without_body ? std::string_view() : response.body;
  bool written = false;
  if (response.more != nullptr && request_.method != "HEAD") {
    written = co_await SendChunked(head, response);
  } else {
    written = co_await connection_.WriteAll(head, body);
  }
  if (!written) {
    co_return Next::kEnd;
  }
  if (!keep_alive) {
    co_await connection_.Finish();
    co_return Next::kEnd;
  }
  StartTime();
  co_return Next::kRequest;
}

Awaitable<bool> HttpSession::SendChunked(std::string_view head, const HttpResponse& response) {
  std::string chunk = response.body.empty() ? std::string() : Chunk(response.body);
  bool written = co_await connection_.WriteAll(head, chunk);
  bool complete = false;
  while (written && !complete) {
    connection_.Bound(Deadline::Never());  // The source has a bound of its own.
    const std::string piece = co_await response.more->Next();
    StartTime();
    complete = piece.empty();
    chunk = Chunk(piece);  // The empty one ends the body.
    written = co_await connection_.WriteAll(chunk, std::string_view());
  }
  co_return written;
}

}  // namespace

Awaitable<void> ServeConnection(std::unique_ptr<UpgradableConnection> connection,
                                std::unique_ptr<Ticket> ticket, std::string remote_address,
                                const HttpServerOptions& options, HttpService& service) {
  // The buffers of the HTTP session are gone before a conversation of an hour begins.
  auto session =
      std::make_unique<HttpSession>(*connection, std::move(remote_address), options, service);
  std::optional<HttpSession::Upgraded> upgraded = co_await session->Run();
  session.reset();
  ticket.reset();
  if (upgraded) {
    co_await service.Converse(std::move(upgraded->request), std::move(upgraded->accepted),
                              std::move(connection));
  }
}

}  // namespace voicebridge

#include "tests/component/websocket/websocket_fixture.h"

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "common/core/base64.h"
#include "common/websocket/url.h"

namespace voicebridge::test {
namespace {

using net::ip::tcp;

Awaitable<void> SetWhenDone(Awaitable<void> script, bool& done) {
  co_await std::move(script);
  done = true;
}

std::string_view ValueOf(std::string_view header, std::string_view name) {
  const std::size_t at = header.find(name);
  if (at == std::string_view::npos) {
    return {};
  }
  const std::string_view rest = header.substr(at + name.size());
  return rest.substr(0, rest.find("\r\n"));
}

tcp::endpoint EndpointOf(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  return {net::ip::make_address(address.substr(0, colon)),
          static_cast<net::ip::port_type>(std::stoul(address.substr(colon + 1)))};
}

class ThreePieces final : public HttpBodySource {
 public:
  Awaitable<std::string> Next() override {
    ++given_;
    co_return given_ <= 3 ? std::string(static_cast<std::size_t>(given_) * 10, 'p') : std::string();
  }

 private:
  int given_ = 0;
};

// Counts itself for as long as it lives.
class CountedTicket final : public Ticket {
 public:
  explicit CountedTicket(int& count) : count_(count) { ++count_; }
  ~CountedTicket() override { --count_; }
  CountedTicket(const CountedTicket&) = delete;
  CountedTicket& operator=(const CountedTicket&) = delete;

 private:
  int& count_;
};

}  // namespace

// --- ScriptedService ---

std::optional<std::unique_ptr<Ticket>> ScriptedService::AdmitConnection(const std::string&) {
  if (connection_tickets >= connections_max) {
    return std::nullopt;
  }
  return std::make_unique<CountedTicket>(connection_tickets);
}

Awaitable<HttpResponse> ScriptedService::Respond(const HttpRequest& request) {
  requests.push_back(request);
  HttpResponse response;
  response.body = request.method == "POST" ? request.body : request.path;
  response.headers.emplace_back("X-Test", "yes");
  response.headers.emplace_back("X-Broken", "a\r\nInjected: b");
  if (request.path == "/pieces") {
    response.more = std::make_shared<ThreePieces>();
  }
  co_return response;
}

Awaitable<void> ScriptedService::PrepareUpgrade(const HttpRequest& request) {
  if (request.path == "/late") {
    const Deadline late = In(kLate);
    co_await SystemClock().SleepUntil(late);
  }
}

UpgradeDecision ScriptedService::DecideUpgrade(const HttpRequest& request) {
  if (request.path == "/refuse") {
    return JsonErrorResponse(403, "invalid_request_error", "forbidden", "not today");
  }
  AcceptUpgrade accept;
  const auto offered = request.HeaderList("sec-websocket-protocol");
  if (std::find(offered.begin(), offered.end(), "realtime") != offered.end()) {
    accept.subprotocol = "realtime";
  }
  accept.ticket = std::make_unique<CountedTicket>(upgrade_tickets);
  ++upgrades_accepted;
  return accept;
}

Awaitable<void> ScriptedService::Converse(HttpRequest request, AcceptUpgrade accepted,
                                          std::unique_ptr<Connection> connection) {
  EXPECT_NE(accepted.ticket, nullptr);
  ++conversations;
  if (request.path == "/hand") {
    handed_.push_back(std::move(connection));
    handed_event_.Notify();
    co_return;
  }
  co_await Echo(*connection);
}

Awaitable<void> ScriptedService::Echo(Connection& connection) {
  for (;;) {
    Incoming incoming = co_await connection.ReadUntilStopped();
    if (incoming.kind == Incoming::Kind::kClosed) {
      ended.push_back(std::move(incoming));
      co_return;
    }
    const Deadline deadline = In(seconds(20));
    absl::Status status;  // When the peer is gone, the next read says so.
    if (incoming.kind == Incoming::Kind::kText) {
      status = co_await connection.WriteText(incoming.payload, deadline);
    } else {
      status = co_await connection.WriteBinary(incoming.payload, deadline);
    }
  }
}

Awaitable<std::unique_ptr<Connection>> ScriptedService::Handed() {
  const auto has_one = [this] { return !handed_.empty(); };
  const bool is_handed = co_await handed_event_.WaitUntil(has_one);
  if (!is_handed) {
    co_return nullptr;
  }
  std::unique_ptr<Connection> connection = std::move(handed_.front());
  handed_.erase(handed_.begin());
  co_return connection;
}

// --- Frames ---

std::string Frame(Opcode opcode, std::string_view payload, FrameOptions options) {
  std::string frame;
  frame.push_back(static_cast<char>((options.final ? 0x80U : 0U) | options.reserved_bits | opcode));
  const unsigned mask_bit = options.masked ? 0x80U : 0U;
  std::size_t length_bytes = 0;
  if (payload.size() < 126) {
    frame.push_back(static_cast<char>(mask_bit | payload.size()));
  } else {
    length_bytes = payload.size() < 65536 ? 2 : 8;
    frame.push_back(static_cast<char>(mask_bit | (length_bytes == 2 ? 126U : 127U)));
  }
  for (std::size_t i = length_bytes; i > 0; --i) {
    frame.push_back(static_cast<char>((payload.size() >> (8 * (i - 1))) & 0xffU));
  }
  constexpr std::string_view kMask = "\x12\x34\x56\x78";
  if (options.masked) {
    frame += kMask;
  }
  for (std::size_t i = 0; i < payload.size(); ++i) {
    frame.push_back(options.masked ? static_cast<char>(payload[i] ^ kMask[i % 4]) : payload[i]);
  }
  return frame;
}

std::string CloseFrame(std::uint16_t code, std::string_view reason, FrameOptions options) {
  std::string payload = {static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  payload += reason;
  return Frame(kClose, payload, options);
}

std::string UpgradeRequest(std::string_view path, std::string_view more_headers) {
  return "GET " + std::string(path) +
         " HTTP/1.1\r\nHost: test\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
         std::string(more_headers) + "\r\n";
}

std::string UpgradeResponse(std::string_view request, std::string_view more_headers) {
  const std::string key =
      std::string(ValueOf(request, "Sec-WebSocket-Key: ")) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(key.data()), key.size(), digest.data());
  std::string accept;
  AppendBase64({reinterpret_cast<const char*>(digest.data()), digest.size()}, accept);
  return "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Accept: " +
         accept + "\r\n" + std::string(more_headers) + "\r\n";
}

// --- RawPeer ---

Awaitable<void> RawPeer::Send(std::string bytes) {
  co_await net::async_write(socket, net::buffer(bytes), kNoThrow);
}

Awaitable<bool> RawPeer::ReceiveMore() {
  std::array<char, 16384> piece;
  const bool cancelled = co_await IsCancelled();
  if (cancelled) {
    co_return false;
  }
  const auto [error, bytes] = co_await socket.async_read_some(net::buffer(piece), kNoThrow);
  received_.append(piece.data(), bytes);
  co_return !error;
}

Awaitable<std::string> RawPeer::Receive(std::size_t bytes) {
  bool open = true;
  while (received_.size() < bytes && open) {
    open = co_await ReceiveMore();
  }
  const std::string result = received_.substr(0, bytes);
  received_.erase(0, bytes);
  co_return result;
}

Awaitable<std::string> RawPeer::ReceiveHeader() {
  bool open = true;
  while (received_.find("\r\n\r\n") == std::string::npos && open) {
    open = co_await ReceiveMore();
  }
  const std::size_t end = received_.find("\r\n\r\n");
  const std::size_t size = end == std::string::npos ? received_.size() : end + 4;
  co_return co_await Receive(size);
}

Awaitable<std::string> RawPeer::ReceiveResponse() {
  const std::string header = co_await ReceiveHeader();
  const std::string length(ValueOf(header, "Content-Length: "));
  const std::size_t size = length.empty() ? 0 : std::stoul(length);
  const std::string body = co_await Receive(size);
  co_return header + body;
}

Awaitable<std::string> RawPeer::ReceiveToEnd() {
  bool open = true;
  while (open) {
    open = co_await ReceiveMore();
  }
  co_return std::move(received_);
}

Awaitable<RawPeer> ConnectRaw(std::string address) {
  tcp::socket socket(co_await net::this_coro::executor);
  const tcp::endpoint endpoint = EndpointOf(address);
  const auto [error] = co_await socket.async_connect(endpoint, kNoThrow);
  EXPECT_FALSE(error) << error.message();
  co_return RawPeer(std::move(socket));
}

Awaitable<RawPeer> UpgradeRaw(std::string address, std::string path) {
  RawPeer peer = co_await ConnectRaw(std::move(address));
  co_await peer.Send(UpgradeRequest(path));
  const std::string header = co_await peer.ReceiveHeader();
  EXPECT_EQ(header.substr(0, 12), "HTTP/1.1 101") << header;
  co_return peer;
}

Awaitable<void> ReadToEnd(Connection& connection, std::optional<Incoming>& end) {
  for (;;) {
    Incoming incoming = co_await connection.ReadUntilStopped();
    if (incoming.kind == Incoming::Kind::kClosed) {
      end = std::move(incoming);
      co_return;
    }
  }
}

// --- WebSocketTest ---

WebSocketTest::WebSocketTest()
    : service(io.get_executor()),
      tasks(io.get_executor(), live_tasks, [this](std::string_view task, const std::string& what) {
        failures.push_back(std::string(task) + ": " + what);
      }) {
  server_options.listen = "127.0.0.1:0";
  server_options.message_bytes_max = 16U << 20U;
  server_options.body_bytes_max = 1024;
}

void WebSocketTest::StartServer() {
  std::vector<HttpServer::Shard> shards = {{io.get_executor(), &tasks}};
  server = std::make_unique<HttpServer>(server_options, std::move(shards), service);
  const absl::StatusOr<std::string> bound = server->Start();
  ASSERT_TRUE(bound.ok()) << bound.status();
  address = *bound;
}

void WebSocketTest::Run(Awaitable<void> script) {
  script_done_ = false;
  ASSERT_TRUE(tasks.TrySpawn("script", SetWhenDone(std::move(script), script_done_)));
  const Deadline limit = In(seconds(30));
  while (!script_done_ && failures.empty() && !limit.HasPassed(SystemClock().Now())) {
    io.run_one_for(milliseconds(100));
    io.restart();
  }
  EXPECT_TRUE(script_done_) << "the script did not come to its end";
}

void WebSocketTest::TearDown() {
  // On the executor: outside of it, Asio would deliver the cancellation later, to tasks that have
  // ended.
  net::post(io, [this] {
    if (server) {
      server->StopAccepting();
    }
    tasks.Close();
    tasks.CancelAll();
  });
  const Deadline limit = In(seconds(10));
  while (!tasks.empty() && !limit.HasPassed(SystemClock().Now())) {
    io.run_one_for(milliseconds(100));
    io.restart();
  }
  EXPECT_TRUE(tasks.empty()) << "a task was left: " << tasks.Unfinished().front();
  EXPECT_EQ(server ? server->connections() : 0, 0U);
  EXPECT_TRUE(failures.empty()) << failures.front();
}

void WebSocketTest::Spawn(Awaitable<void> task) {
  ASSERT_TRUE(tasks.TrySpawn("test task", std::move(task)));
}

ConnectOptions WebSocketTest::OptionsFor(std::string_view path, std::string_view scheme) const {
  ConnectOptions options;
  const auto url = ParseUrl(std::string(scheme) + "://" + address + std::string(path));
  EXPECT_TRUE(url.ok()) << url.status();
  options.url = *url;
  options.message_bytes_max = 16U << 20U;
  return options;
}

Awaitable<std::unique_ptr<Connection>> WebSocketTest::Connect(std::string_view path) {
  ConnectOptions options = OptionsFor(path);
  ConnectResult result = co_await ConnectWebSocket(std::move(options), In(seconds(20)));
  EXPECT_TRUE(result.failure.status.ok()) << result.failure.status;
  co_return std::move(result.connection);
}

tcp::acceptor WebSocketTest::ListenRaw() {
  tcp::acceptor acceptor(io, tcp::endpoint(net::ip::address_v4::loopback(), 0));
  address = "127.0.0.1:" + std::to_string(acceptor.local_endpoint().port());
  return acceptor;
}

}  // namespace voicebridge::test

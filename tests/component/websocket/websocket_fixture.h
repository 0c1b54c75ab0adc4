// What the tests of common/websocket and common/http share: a server whose service does what the
// path says, and a peer that speaks raw bytes.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/async/event.h"
#include "common/async/task_group.h"
#include "common/http/http_server.h"
#include "common/websocket/connect.h"

namespace voicebridge::test {

inline Deadline In(Duration budget) { return Deadline::After(SystemClock().Now(), budget); }

// Answers by path:
//   /echo          a WebSocket that sends everything back; POST: the body
//   /hand          a WebSocket that is handed to the test
//   /refuse        an upgrade is answered 403
//   /late          an upgrade is answered after kLate
//   /pieces        the body comes in chunks
//   everything else: 200 with the path as body.
class ScriptedService final : public HttpService {
 public:
  explicit ScriptedService(const net::any_io_executor& executor) : handed_event_(executor) {}

  Awaitable<HttpResponse> Respond(const HttpRequest& request) override;
  Awaitable<void> PrepareUpgrade(const HttpRequest& request) override;
  std::optional<std::unique_ptr<Ticket>> AdmitConnection(const std::string& address) override;
  UpgradeDecision DecideUpgrade(const HttpRequest& request) override;
  Awaitable<void> Converse(HttpRequest request, AcceptUpgrade accepted,
                           std::unique_ptr<Connection> connection) override;

  static constexpr Duration kLate = milliseconds(120);

  // The server's end of the next connection to /hand.
  Awaitable<std::unique_ptr<Connection>> Handed();

  std::vector<HttpRequest> requests;
  std::vector<Incoming> ended;  // What the reads of /echo ended with; payloads are gone.
  std::atomic<int> conversations = 0;
  int upgrades_accepted = 0;
  // How many are held now, of connections without a WebSocket and of upgrades.
  int connection_tickets = 0;
  int upgrade_tickets = 0;
  int connections_max = 1000;

 private:
  Awaitable<void> Echo(Connection& connection);

  std::vector<std::unique_ptr<Connection>> handed_;
  Event handed_event_;
};

struct FrameOptions {
  bool final = true;
  bool masked = true;
  unsigned char reserved_bits = 0;
};

inline constexpr FrameOptions kFromServer = {true, false, 0};

enum Opcode : unsigned char {
  kContinuation = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10
};

std::string Frame(Opcode opcode, std::string_view payload, FrameOptions options = {});
std::string CloseFrame(std::uint16_t code, std::string_view reason, FrameOptions options = {});

// The answer that accepts the upgrade in `request`, with more header lines (each ending in CRLF).
std::string UpgradeResponse(std::string_view request, std::string_view more_headers = "");

// A TCP peer without any protocol. Its waits end at the end of the test.
class RawPeer {
 public:
  explicit RawPeer(net::ip::tcp::socket connected) : socket(std::move(connected)) {}

  Awaitable<void> Send(std::string bytes);
  // As many bytes, or fewer at the end of the connection.
  Awaitable<std::string> Receive(std::size_t bytes);
  // Up to and with the empty line.
  Awaitable<std::string> ReceiveHeader();
  Awaitable<std::string> ReceiveToEnd();
  // A whole response with Content-Length.
  Awaitable<std::string> ReceiveResponse();

  net::ip::tcp::socket socket;

 private:
  Awaitable<bool> ReceiveMore();

  std::string received_;
};

Awaitable<RawPeer> ConnectRaw(std::string address);
// A WebSocket opened by hand.
Awaitable<RawPeer> UpgradeRaw(std::string address, std::string path);

std::string UpgradeRequest(std::string_view path, std::string_view more_headers = "");

// Reads until kClosed; the task of a reader that runs beside the test.
Awaitable<void> ReadToEnd(Connection& connection, std::optional<Incoming>& end);

// Waits for what a test cannot be told of; ends with the test.
template <class Condition>
Awaitable<void> Poll(Condition condition) {
  SystemClock clock;
  bool goes_on = true;
  while (goes_on && !condition()) {
    goes_on = co_await clock.SleepUntil(In(milliseconds(1)));
  }
}

class WebSocketTest : public ::testing::Test {
 protected:
  WebSocketTest();
  void TearDown() override;

  // Starts the server, with options that a test has changed.
  void StartServer();
  // Runs the script to its end, or fails after half a minute.
  void Run(Awaitable<void> script);
  void Spawn(Awaitable<void> task);

  ConnectOptions OptionsFor(std::string_view path, std::string_view scheme = "ws") const;
  Awaitable<std::unique_ptr<Connection>> Connect(std::string_view path);

  // A listening socket for scripts that play the server themselves.
  net::ip::tcp::acceptor ListenRaw();

  net::io_context io;
  LiveTasks live_tasks;
  std::vector<std::string> failures;
  ScriptedService service;
  HttpServerOptions server_options;
  std::string address;
  TaskGroup tasks;
  std::unique_ptr<HttpServer> server;

 private:
  bool script_done_ = false;  // Written by a script that a failing test ends late, too.
};

}  // namespace voicebridge::test

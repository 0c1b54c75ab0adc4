// The one implementation of Connection, over boost::beast::websocket::stream. Instantiating it
// costs half a minute of compilation, so only plain_connection.cc and tls_connection.cc include it.
#pragma once

#include <array>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <string>
#include <type_traits>
#include <utility>

#include "common/async/clock.h"
#include "common/async/deadline_guard.h"
#include "common/async/event.h"
#include "common/core/limits.h"
#include "common/core/status.h"
#include "common/websocket/client_upgrade.h"
#include "common/websocket/close_code.h"
#include "common/websocket/upgradable_connection.h"
#include "common/websocket/upgrade_stream.h"

namespace voicebridge {

// `Transport` is TcpSocket or a TLS stream over it.
//
// Beast runs at most one read: while Close waits for the peer's close frame, a pending read is
// suspended inside Beast and ends when Close does. Whichever of the two learns of the end finishes
// the transport, within a bound, because our UpgradeStream keeps Beast from waiting for that
// without one.
template <class Transport>
class BeastConnection final : public UpgradableConnection {
 public:
  template <class... Args>
  explicit BeastConnection(const ConnectionOptions& options, Args&&... args)
      : role_(options.role),
        stream_(std::forward<Args>(args)...),
        write_guard_(stream_.get_executor(), [this] { CutAndNote(write_out_of_time_); }),
        guard_(stream_.get_executor(), [this] { CutAndNote(out_of_time_); }),
        finished_(stream_.get_executor()) {
    boost::beast::error_code ignored;
    Socket().set_option(net::ip::tcp::no_delay(true), ignored);
    stream_.auto_fragment(false);
    if (role_ == Role::kClient) {
      stream_.write_buffer_bytes(kMaskBufferBytes);
    }
    stream_.read_message_max(options.message_bytes_max);
    SetKeepAlive(options.ping_interval);
  }

  ~BeastConnection() override { Abort(); }

  Transport& transport() { return stream_.next_layer().next_layer(); }

  // --- Before the upgrade ---

  void Bound(Deadline deadline) override { guard_.Arm(deadline); }
  bool OutOfTime() const override { return out_of_time_; }

  Awaitable<absl::Status> HandshakeTls() override;
  Awaitable<std::size_t> ReadSome(net::mutable_buffer buffer) override;
  Awaitable<bool> WriteAll(std::string_view head, std::string_view body) override;
  Awaitable<void> Finish() override;
  void Reset() override {
    boost::beast::error_code ignored;
    Socket().set_option(net::socket_base::linger(true, 0), ignored);
    Abort();
  }
  Awaitable<bool> AcceptWebSocket(const RawRequest& request, const std::string& subprotocol,
                                  std::string_view early) override;
  Awaitable<ConnectFailure> OpenWebSocket(const ConnectOptions& options) override;

  // --- After it ---

  Awaitable<Incoming> ReadUntilStopped() override;

  Awaitable<absl::Status> WriteText(std::string_view payload, Deadline deadline) override {
    stream_.text(true);
    return Write(payload, deadline);
  }
  Awaitable<absl::Status> WriteBinary(std::string_view payload, Deadline deadline) override {
    stream_.binary(true);
    return Write(payload, deadline);
  }

  Awaitable<void> Close(std::uint16_t code, std::string_view reason, Deadline deadline) override;

  void Abort() override {
    broken_ = true;
    boost::beast::error_code ignored;
    Socket().close(ignored);
  }

 private:
  using Error = boost::beast::error_code;
  using WebSocket = boost::beast::websocket::stream<UpgradeStream<Transport>, false>;
  static constexpr bool kTls = !std::is_same_v<Transport, TcpSocket>;
  // A client masks what it sends in pieces of this size; a usual audio event fits in one.
  static constexpr std::size_t kMaskBufferBytes = 16U << 10U;
  // What an idle connection keeps of the buffer of its last message.
  static constexpr std::size_t kIdleBufferBytes = 16U << 10U;

  auto& Socket() { return boost::beast::get_lowest_layer(stream_); }

  static Deadline FinishDeadline() {
    return Deadline::After(SystemClock().Now(), limits::kCloseMax);
  }

  void CutAndNote(bool& out_of_time) {
    out_of_time = true;
    Abort();
  }

  void SetKeepAlive(Duration ping_interval) {
    namespace websocket = boost::beast::websocket;
    websocket::stream_base::timeout timeout{};
    timeout.handshake_timeout = websocket::stream_base::none();  // Bound() covers it.
    timeout.idle_timeout = websocket::stream_base::none();
    if (ping_interval > Duration::zero()) {
      // Beast pings at half of it, and gives up when a whole one brought nothing. Both count from
      // the last read, so a pause in reading that is shorter than the ping interval is never taken
      // for a peer that is gone.
      timeout.idle_timeout = 2 * ping_interval;
      timeout.keep_alive_pings = true;
    }
    stream_.set_option(timeout);
  }

  Awaitable<absl::Status> Write(std::string_view payload, Deadline deadline);
  Awaitable<void> CloseWebSocket(std::uint16_t code, std::string_view reason);
  Awaitable<void> EndRead(Error error);
  Awaitable<void> RefuseText();
  Awaitable<void> FinishTransport();

  Incoming Closed() const {
    Incoming end;
    end.close_code = close_code_;
    end.close_reason = close_reason_;
    return end;
  }

  const Role role_;
  WebSocket stream_;
  boost::beast::flat_buffer message_;
  DeadlineGuard write_guard_;
  DeadlineGuard guard_;  // Of everything that ends or precedes the WebSocket.
  Event finished_;
  bool broken_ = false;             // The socket is cut:
  bool write_out_of_time_ = false;  // by the deadline of a write,
  bool out_of_time_ = false;        // or by that of something else.
  bool closing_ = false;            // Close was called.
  bool ended_ = false;              // A read has brought kClosed.
  bool ending_ = false;             // A read is finishing the transport.
  std::uint16_t close_code_ = kConnectionBroken;
  std::string close_reason_;
};

// In an awaiting expression GCC 12 destroys aggregate temporaries twice: all arguments are named.

template <class Transport>
Awaitable<absl::Status> BeastConnection<Transport>::HandshakeTls() {
  if constexpr (kTls) {
    const auto type =
        role_ == Role::kClient ? net::ssl::stream_base::client : net::ssl::stream_base::server;
    const auto [error] = co_await transport().async_handshake(type, kNoThrow);
    if (error) {
      const long verified = SSL_get_verify_result(transport().native_handle());
      co_return Unavailable(
          "TLS handshake failed: {}",
          verified == X509_V_OK ? error.message() : X509_verify_cert_error_string(verified));
    }
  }
  co_return absl::OkStatus();
}

template <class Transport>
Awaitable<std::size_t> BeastConnection<Transport>::ReadSome(net::mutable_buffer buffer) {
  const bool cancelled = co_await IsCancelled();
  if (broken_ || cancelled) {
    co_return 0;
  }
  const auto [error, bytes] = co_await stream_.next_layer().async_read_some(buffer, kNoThrow);
  co_return error ? 0 : bytes;
}

template <class Transport>
Awaitable<bool> BeastConnection<Transport>::WriteAll(std::string_view head, std::string_view body) {
  const bool cancelled = co_await IsCancelled();
  if (broken_ || cancelled) {
    co_return false;
  }
  const std::array<net::const_buffer, 2> buffers = {net::buffer(head), net::buffer(body)};
  const auto [error, bytes] = co_await net::async_write(transport(), buffers, kNoThrow);
  co_return !error;
}

template <class Transport>
Awaitable<void> BeastConnection<Transport>::Finish() {
  guard_.Arm(FinishDeadline());
  co_await FinishTransport();
}

template <class Transport>
Awaitable<bool> BeastConnection<Transport>::AcceptWebSocket(const RawRequest& request,
                                                            const std::string& subprotocol,
                                                            std::string_view early) {
  namespace websocket = boost::beast::websocket;
  namespace http = boost::beast::http;
  stream_.set_option(
      websocket::stream_base::decorator([subprotocol](websocket::response_type& response) {
        response.set(http::field::server, "voicebridge");
        if (!subprotocol.empty()) {
          response.set(http::field::sec_websocket_protocol, subprotocol);
        }
      }));
  stream_.next_layer().PutBack(early);
  const auto [error] = co_await stream_.async_accept(request, kNoThrow);
  guard_.Disarm();
  co_return !error;
}

template <class Transport>
Awaitable<ConnectFailure> BeastConnection<Transport>::OpenWebSocket(const ConnectOptions& options) {
  namespace websocket = boost::beast::websocket;
  websocket::response_type response;
  stream_.set_option(websocket::stream_base::decorator(
      [&options](websocket::request_type& request) { DecorateUpgrade(options, request); }));
  stream_.next_layer().SplitAfterHeader();
  const std::string host = HostHeader(options.url);
  const auto [error] =
      co_await stream_.async_handshake(response, host, options.url.target, kNoThrow);
  // The decorator refers to our argument, and holds a secret.
  stream_.set_option(websocket::stream_base::decorator([](websocket::request_type&) {}));
  co_return JudgeUpgrade(options, error, response);
}

template <class Transport>
Awaitable<Incoming> BeastConnection<Transport>::ReadUntilStopped() {
  message_.consume(message_.size());
  if (message_.capacity() > kIdleBufferBytes) {
    message_.shrink_to_fit();
  }
  const bool cancelled = co_await IsCancelled();
  if (!ended_ && (broken_ || cancelled)) {
    ended_ = true;
    Abort();
  }
  if (ended_) {
    co_return Closed();
  }
  const auto [error, bytes] = co_await stream_.async_read(message_, kNoThrow);
  if (error) {
    co_await EndRead(error);
    co_return Closed();
  }
  Incoming incoming;
  incoming.kind = stream_.got_text() ? Incoming::Kind::kText : Incoming::Kind::kBinary;
  const net::const_buffer data = message_.cdata();
  incoming.payload = std::string_view(static_cast<const char*>(data.data()), data.size());
  if (incoming.kind == Incoming::Kind::kText && EndsInsideCharacter(incoming.payload)) {
    co_await RefuseText();
    co_return Closed();
  }
  co_return incoming;
}

template <class Transport>
Awaitable<void> BeastConnection<Transport>::EndRead(Error error) {
  ended_ = true;
  const auto& reason = stream_.reason();
  close_code_ = CloseCodeOf(error, reason);
  if (closing_ && !broken_ && error == net::error::operation_aborted) {
    // Close has taken over reading and has come to the peer's close frame.
    close_code_ = CloseCodeOf(boost::beast::websocket::error::closed, reason);
  }
  if (close_code_ != kConnectionBroken) {
    close_reason_ = std::string(std::string_view(reason.reason.data(), reason.reason.size()));
  }
  if (closing_) {
    co_return;  // Close finishes the transport.
  }
  if (close_code_ != kConnectionBroken && !broken_) {
    ending_ = true;
    guard_.Arm(FinishDeadline());
    co_await FinishTransport();
    ending_ = false;
  }
  Abort();
  finished_.Notify();
}

// Beast overlooks a character that is cut off by an empty last fragment.
template <class Transport>
Awaitable<void> BeastConnection<Transport>::RefuseText() {
  ended_ = true;
  close_code_ = boost::beast::websocket::close_code::bad_payload;
  if (closing_) {
    co_return;
  }
  ending_ = true;
  guard_.Arm(FinishDeadline());
  co_await CloseWebSocket(close_code_, "");
  ending_ = false;
  Abort();
  finished_.Notify();
}

template <class Transport>
Awaitable<absl::Status> BeastConnection<Transport>::Write(std::string_view payload,
                                                          Deadline deadline) {
  const bool cancelled = co_await IsCancelled();
  if (broken_ || closing_ || ended_ || cancelled) {
    co_return Unavailable("the WebSocket connection is closed");
  }
  write_guard_.Arm(deadline);
  const auto [error, bytes] = co_await stream_.async_write(net::buffer(payload), kNoThrow);
  write_guard_.Disarm();
  if (!error) {
    co_return absl::OkStatus();
  }
  if (write_out_of_time_) {
    co_return DeadlineExceeded("the peer did not take the message in time");
  }
  if (error != net::error::operation_aborted) {
    Abort();  // The pending read need not notice by itself. After an orderly close it is aborted.
  }
  co_return Unavailable("the WebSocket connection is closed: {}", error.message());
}

template <class Transport>
Awaitable<void> BeastConnection<Transport>::Close(std::uint16_t code, std::string_view reason,
                                                  Deadline deadline) {
  const bool cancelled = co_await IsCancelled();
  if (closing_ || broken_ || cancelled) {
    if (!closing_) {
      Abort();
    }
    co_return;
  }
  if (ending_) {
    guard_.Arm(deadline.EarlierOf(FinishDeadline()));
    const auto has_ended = [this] { return !ending_; };
    co_await finished_.WaitUntil(has_ended);
    Abort();
    co_return;
  }
  closing_ = true;
  guard_.Arm(deadline);
  co_await CloseWebSocket(code, reason);
  Abort();
}

template <class Transport>
Awaitable<void> BeastConnection<Transport>::CloseWebSocket(std::uint16_t code,
                                                           std::string_view reason) {
  SetKeepAlive(Duration::zero());  // Else its timer could cut the closing handshake short.
  const auto close_reason = ToCloseReason(code, reason);
  const auto [error] = co_await stream_.async_close(close_reason, kNoThrow);
  if (!error || error == net::error::operation_aborted) {  // The latter: the peer closed meanwhile.
    co_await FinishTransport();
  }
}

// RFC 6455 section 7.1.1: the server ends the TCP connection first; a client waits for that.
template <class Transport>
Awaitable<void> BeastConnection<Transport>::FinishTransport() {
  bool cancelled = co_await IsCancelled();
  if (broken_ || cancelled) {
    co_return;
  }
  if constexpr (kTls) {
    co_await transport().async_shutdown(kNoThrow);
  }
  Error error;
  if (role_ == Role::kServer) {
    Socket().shutdown(TcpSocket::shutdown_send, error);
  }
  std::array<char, 2048> forgotten;
  cancelled = co_await IsCancelled();
  while (!error && !broken_ && !cancelled) {
    const auto [read_error, bytes] =
        co_await Socket().async_read_some(net::buffer(forgotten), kNoThrow);
    error = read_error;
    cancelled = co_await IsCancelled();
  }
}

}  // namespace voicebridge

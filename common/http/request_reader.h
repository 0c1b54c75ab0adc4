// HTTP requests out of the bytes of one connection.
#pragma once

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "common/async/awaitable.h"
#include "common/http/http_message.h"
#include "common/websocket/upgradable_connection.h"

namespace voicebridge {

// Owned by the coroutine that serves the connection. Bounded by the connection's Bound.
class RequestReader {
 public:
  enum class Result { kRequest, kRefused, kEnded };

  RequestReader(UpgradableConnection& connection, std::size_t body_bytes_max);

  // The next request is in raw(). kRefused: refused_status() says why it is not one.
  Awaitable<Result> Read();

  RawRequest& raw() { return raw_; }
  unsigned refused_status() const { return refused_status_; }

  // What the peer sent after the request, unasked.
  std::string_view Early() const;

 private:
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;
  using IsComplete = bool (Parser::*)() const;

  Awaitable<Result> Feed(Parser& parser, IsComplete is_complete);
  Awaitable<bool> InviteBody(const Parser& parser);
  Result Refuse(unsigned status);

  UpgradableConnection& connection_;
  const std::size_t body_bytes_max_;
  boost::beast::flat_buffer buffer_;
  RawRequest raw_;
  unsigned refused_status_ = 0;
};

// nullopt: its target or its Host cannot be understood (RFC 7230 5.3 and 5.4).
std::optional<HttpRequest> ToHttpRequest(RawRequest& raw, const std::string& remote_address);

// Whether the request asks for a WebSocket.
bool WantsUpgrade(const RawRequest& raw);

// Why the upgrade it asks for cannot be accepted, whatever the service thinks of it (RFC
// 6455 4.2.1).
std::optional<HttpResponse> RefuseUpgrade(const RawRequest& raw);

// Beast's handshake reads the first Connection and Upgrade header only: leaves one of each, for a
// request that WantsUpgrade.
void JoinUpgradeHeaders(RawRequest& raw);

}  // namespace voicebridge
